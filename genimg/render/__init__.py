"""Arrays to pictures: stills, grids, animations and heat maps. Knows no model."""

from genimg.render.animation import animate, strip
from genimg.render.heat import color_bar, heat_map, overlay
from genimg.render.images import data_uri, encode, enlarge, grid, to_image

__all__ = [
    "animate",
    "color_bar",
    "data_uri",
    "encode",
    "enlarge",
    "grid",
    "heat_map",
    "overlay",
    "strip",
    "to_image",
]
