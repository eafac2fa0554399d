"""Every number that a run reports, in one table: its name in `metrics.jsonl`, and what it means.

A page or a chart takes its labels and units from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """What one reported number means.

    Attributes:
        label: for the axis of a chart or a line of a table.
        unit: as written behind a number; "" for a pure number, "share" for 0 to 1.
        better: "lower", "higher", or "" where neither is.
        meaning: one sentence.
        exact: whether a run repeated exactly reports exactly this number at the same pictures: not
            clocks and memory, nor what is measured whenever time allows (`QualityGauge`).
    """

    label: str
    unit: str
    better: str
    meaning: str
    exact: bool = True


METRICS: dict[str, Metric] = {
    # Progress, in every line.
    "images_seen": Metric(
        "Pictures seen", "pictures", "", "Training pictures seen; the run's one clock."
    ),
    "epochs": Metric(
        "Epochs", "times", "", "How often each training picture was seen, on average."
    ),
    "seconds": Metric(
        "Time trained", "s", "", "Seconds of training so far, over all attempts.", exact=False
    ),
    "seconds_left": Metric(
        "Time left", "s", "", "Seconds to the end at the recent speed.", exact=False
    ),
    "images_per_second": Metric(
        "Speed",
        "pictures/s",
        "higher",
        "Pictures per second over the last half minute, not counting measuring and saving.",
        exact=False,
    ),
    "resident_bytes": Metric(
        "Memory", "bytes", "lower", "Main memory that the process holds now.", exact=False
    ),
    "cuda_bytes": Metric(
        "GPU memory", "bytes", "lower", "Memory of the GPU that the process holds now.", exact=False
    ),
    "rolled_back": Metric(
        "Went back", "", "", "1 where training diverged and went back to a checkpoint."
    ),
    # GANs, and the discriminator of a tokenizer; each from the last batch only.
    "generator_loss": Metric(
        "Generator loss", "", "", "What the generator minimises; depends on its opponent."
    ),
    "discriminator_loss": Metric(
        "Discriminator loss",
        "",
        "",
        "What the discriminator minimises, without penalties; depends on its opponent.",
    ),
    "real_accuracy": Metric(
        "Real called real",
        "share",
        "",
        "Share of the batch's real pictures that the discriminator takes for real.",
    ),
    "fake_accuracy": Metric(
        "Fake called fake",
        "share",
        "",
        "Share of the batch's generated pictures that the discriminator takes for generated.",
    ),
    "augmentation": Metric(
        "Pictures changed",
        "share",
        "",
        "How often each change is made to the pictures before the discriminator sees them; rises"
        " where it knows its real pictures by heart.",
    ),
    "generator_gradient": Metric(
        "Generator gradient", "", "", "Norm of the gradient of the generator's loss."
    ),
    "discriminator_gradient": Metric(
        "Discriminator gradient",
        "",
        "",
        "Norm of the gradient of the discriminator's loss, penalties included.",
    ),
    # Everything else that is trained; each from the last batch only, but for validations.
    "loss": Metric(
        "Training loss",
        "nats",
        "lower",
        "Cross-entropy: for an image GPT per token, for a MaskGIT per masked token, with some"
        " labels hidden; for a classifier per picture, with augmentation and label smoothing.",
    ),
    "validation_loss": Metric(
        "Validation loss",
        "nats",
        "lower",
        "Cross-entropy per token of held-out pictures, by the averaged model with the true labels;"
        " for a MaskGIT the mean over all orders of drawing.",
    ),
    "attribute_loss": Metric(
        "Attribute loss",
        "",
        "lower",
        "Of a classifier of attributes, averaged over all of them: 1 for one that knows nothing, 0"
        " at best.",
    ),
    "accuracy": Metric(
        "Training accuracy",
        "share",
        "higher",
        "Share of the batch that is classified correctly; of attributes, over those with names.",
    ),
    "gradient": Metric("Gradient", "", "", "Norm of the loss's gradient, before any clipping."),
    "absolute_error": Metric(
        "Mean absolute error", "", "lower", "Of a reconstructed pixel, on the scale from -1 to 1."
    ),
    "squared_error": Metric(
        "Mean squared error", "", "lower", "Of a reconstructed pixel, on the scale from -1 to 1."
    ),
    "codes_used": Metric(
        "Codes used", "tokens", "higher", "Tokens of the vocabulary that were used lately."
    ),
    "perplexity": Metric(
        "Code perplexity",
        "tokens",
        "higher",
        "How many tokens there would be if all were used equally often.",
    ),
    # Quality of what the averaged generator makes, always from the same random numbers.
    "diversity": Metric(
        "Diversity",
        "of real",
        "higher",
        "Mean distance between two generated pictures of a class, divided by that between two real"
        " ones: measured on the sample sheet, pixel by pixel.",
    ),
    "random_distance": Metric(
        "Distance in random features",
        "",
        "lower",
        "FD of 200 generated pictures to 1,000 real ones (fewer where the data are few) in the"
        " features of a network that nobody trained. 0: no further away than other real pictures."
        " 1: as far as one picture for each class, repeated again and again.",
        exact=False,
    ),
    "class_difference": Metric(
        "Difference of the classes",
        "of real",
        "higher",
        "How far apart the classes of 200 or more generated pictures are, divided by the same for"
        " real pictures, in the same features; 0 is one picture for all classes.",
        exact=False,
    ),
    "copied_share": Metric(
        "Copies",
        "share",
        "lower",
        "Share of 100 generated pictures that are three times as near to one training picture as to"
        " any other, less the share of real pictures that are.",
        exact=False,
    ),
    "frechet_distance_500": Metric(
        "Fréchet distance (500 pictures)",
        "",
        "lower",
        "FD of 500 generated pictures to 1,000 real ones in the features of the data set's feature"
        " net (fashion-features, say): too high, and rough, because they are few; compare it only"
        " with its floor.",
        exact=False,
    ),
    "frechet_distance_500_floor": Metric(
        "Fréchet distance of real pictures",
        "",
        "",
        "The same for 500 other real pictures: below it a difference says nothing.",
        exact=False,
    ),
    "class_accuracy_500": Metric(
        "Class accuracy (500 pictures)",
        "share",
        "higher",
        "Share of 500 generated pictures that the feature net takes for the class asked for.",
        exact=False,
    ),
    "attribute_confidence_500": Metric(
        "Attribute confidence (500 pictures)",
        "of real",
        "higher",
        "How clear the attributes of 500 generated pictures are: the feature net's mean confidence,"
        " divided by the same for real pictures, averaged over all attributes.",
        exact=False,
    ),
    "attribute_total_variation_500": Metric(
        "Attribute total variation (500 pictures)",
        "",
        "lower",
        "How far the shares of each attribute's values in 500 generated pictures are from those in"
        " 1,000 real ones: from 0 to 1, averaged over all attributes.",
        exact=False,
    ),
}
