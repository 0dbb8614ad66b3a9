"""What this product costs in time and memory, measured beside the field's usual code in the same run."""
