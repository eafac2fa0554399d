"""Colours and type: paper and ink, with one accent. Nothing is fetched from elsewhere."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

_SHEETS = (
    *("static/style.css", "gan/static/gan.css", "gan/static/game.css", "gan/static/inside.css"),
    *("transformer/static/transformer.css", "transformer/static/numbers.css"),
    *("compare/static/compare.css", "static/pad.css"),
    *("training/static/training.css", "training/static/race.css"),
)
CSS = [Path(__file__).parent / sheet for sheet in _SHEETS]

_ACCENT = colors.Color(
    "#eefaf7",
    "#d3f1ea",
    "#a8e2d6",
    "#74ccbc",
    "#43b09f",
    "#239384",
    "#17766b",
    "#155f57",
    "#154c47",
    "#143f3b",
    "#062523",
    name="genimg",
)


# What systems bring for Chinese; a typeface of their own for it would be a download of megabytes.
_CHINESE = (
    *(
        "PingFang SC",
        "Hiragino Sans GB",
        "Microsoft YaHei",
        "Noto Sans CJK SC",
        "Source Han Sans SC",
    ),
    "WenQuanYi Micro Hei",
)


class Paper(gr.themes.Base):
    """A calm page: flat surfaces, thin lines, small radii."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=_ACCENT,
            secondary_hue=_ACCENT,
            neutral_hue=colors.stone,
            text_size=sizes.text_md,
            spacing_size=sizes.spacing_md,
            radius_size=sizes.radius_md,
            # Bold and not semi-bold: Gradio 6.31 ships another typeface under that name.
            font=(
                fonts.LocalFont("IBM Plex Sans", weights=(400, 700)),
                *map(fonts.Font, _CHINESE),
                fonts.Font("sans-serif"),
            ),
            font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400,)), fonts.Font("monospace")),
        )
        self.set(
            body_background_fill="*neutral_50",
            body_background_fill_dark="#141312",
            background_fill_primary="white",
            background_fill_primary_dark="#1c1b19",
            background_fill_secondary="*neutral_50",
            background_fill_secondary_dark="#141312",
            block_background_fill="transparent",
            block_background_fill_dark="transparent",
            block_border_width="0px",
            block_border_width_dark="0px",
            block_shadow="none",
            block_shadow_dark="none",
            block_padding="6px 2px",
            body_text_color_subdued="*neutral_500",
            body_text_color_subdued_dark="*neutral_400",
            block_label_text_color="*neutral_600",
            block_label_text_color_dark="*neutral_300",
            block_title_text_color="*neutral_700",
            block_title_text_color_dark="*neutral_200",
            block_title_text_weight="400",
            block_title_text_size="*text_sm",
            border_color_primary="*neutral_200",
            border_color_primary_dark="#35332f",
            input_background_fill="white",
            input_background_fill_dark="#232120",
            input_border_width="1px",
            input_border_color="*neutral_300",
            input_border_color_dark="#3d3a36",
            button_primary_background_fill="*primary_600",
            button_primary_background_fill_hover="*primary_700",
            button_primary_background_fill_dark="*primary_600",
            button_primary_background_fill_hover_dark="*primary_500",
            button_primary_text_color="white",
            button_primary_border_color="*primary_600",
            button_border_width="1px",
            button_medium_text_weight="400",
            button_large_text_weight="400",
            button_medium_text_size="*text_md",
            button_large_text_size="*text_md",
            button_large_padding="*spacing_md *spacing_lg",
            button_secondary_background_fill="white",
            button_secondary_background_fill_hover="*neutral_100",
            button_secondary_background_fill_dark="#262422",
            button_secondary_background_fill_hover_dark="#322f2c",
            button_secondary_border_color="*neutral_300",
            button_secondary_border_color_dark="#3d3a36",
            slider_color="*primary_600",
            slider_color_dark="*primary_400",
        )
