"""Read and write any image people have, as (H, W, C) arrays of 8 or 16 bits; sheets, resizing and padding."""

from pix2pix.images.arrays import MAX_CHANNELS, ImageError, fits_pillow, is_grey, to_gray, to_pil, to_rgb, to_rgb8
from pix2pix.images.geometry import center_crop, enlarge, reflect_pad, resize
from pix2pix.images.grids import make_grid
from pix2pix.images.holes import fill_smoothly
from pix2pix.images.reading import IMAGE_SUFFIXES, PIXEL_LIMIT, from_pil, list_images, picture_size, read_image
from pix2pix.images.writing import check_output, write_image

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_CHANNELS",
    "PIXEL_LIMIT",
    "ImageError",
    "center_crop",
    "check_output",
    "enlarge",
    "fill_smoothly",
    "fits_pillow",
    "from_pil",
    "is_grey",
    "list_images",
    "make_grid",
    "picture_size",
    "read_image",
    "reflect_pad",
    "resize",
    "to_gray",
    "to_pil",
    "to_rgb",
    "to_rgb8",
    "write_image",
]
