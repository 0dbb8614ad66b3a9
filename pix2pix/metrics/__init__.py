"""How good a translated picture is: pure functions, one idea a file."""
