"""Read and write any image people have, as (H, W, C) arrays of 8 or 16 bits, with their metadata; sheets, sizes."""

from pix2pix.images.arrays import (
    MAX_CHANNELS,
    ImageError,
    fits_pillow,
    has_no_colour,
    is_grey,
    to_gray,
    to_pil,
    to_rgb,
    to_rgb8,
    without_alpha,
)
from pix2pix.images.geometry import center_crop, enlarge, reflect_pad, resize
from pix2pix.images.grids import make_grid
from pix2pix.images.holes import fill_smoothly
from pix2pix.images.listing import IMAGE_SUFFIXES, list_images, picture_size
from pix2pix.images.metadata import Metadata, Picture
from pix2pix.images.pixels import from_pil
from pix2pix.images.reading import PIXEL_LIMIT, read_image, read_picture, stored_size
from pix2pix.images.writing import check_fits, check_output, write_image

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_CHANNELS",
    "PIXEL_LIMIT",
    "ImageError",
    "Metadata",
    "Picture",
    "center_crop",
    "check_fits",
    "check_output",
    "enlarge",
    "fill_smoothly",
    "fits_pillow",
    "from_pil",
    "has_no_colour",
    "is_grey",
    "list_images",
    "make_grid",
    "picture_size",
    "read_image",
    "read_picture",
    "reflect_pad",
    "resize",
    "stored_size",
    "to_gray",
    "to_pil",
    "to_rgb",
    "to_rgb8",
    "without_alpha",
    "write_image",
]
