"""The article's claims on the page: what was said, what is measured, the verdict.

Belongs here: the table of claims. Not here: how one is measured (dbt's models).
"""

from markupsafe import Markup

from jgb_assets.monitor.cells import Datasets, day, sentence, shortest, words
from jgb_assets.monitor.panels import Content, Table

VERDICTS = {
    "confirmed": "confirmed",
    "contradicted": "contradicted",
    "basis_differs": "another basis",
    "not_measurable": "not measurable",
}


def claims(datasets: Datasets) -> Content | None:
    """Every claim with its verdict."""
    frame = datasets.frame("claims")
    rows = datasets.rows("claims", frame)
    if not rows:
        return None
    table = Table(
        ["claim", "verdict", "claimed", "measured", "unit", "on", "what was found"],
        [
            [
                words(row["claim"]),
                Markup('<span class="verdict {}">{}</span>').format(
                    row["verdict"].value, VERDICTS[row["verdict"].value]
                ),
                shortest(row["claimed_value"]),
                shortest(row["measured_value"]),
                words(row["unit"]),
                day(row["evidence_date"]),
                words(row["note"]),
            ]
            for row in rows
        ],
    )
    counted = [
        sentence("{n} {label}", n=n, label=label)
        for verdict, label in VERDICTS.items()
        if (n := datasets.count("claims", "verdict", verdict)).value
    ]
    newest = max(
        (row["evidence_date"] for row in rows if not row["evidence_date"].is_null),
        key=lambda cell: cell.value,
        default=None,
    )
    return Content(
        "as the row says",
        sentence("Of {n} claims: {counted}.", n=datasets.count("claims"), counted=Markup(", ").join(counted)),
        day(newest or rows[0]["evidence_date"]),
        ("claims",),
        table,
        None,
        "What an article of January 2026 said of Japanese bonds, in our words. Another basis: the same event, told "
        "in another convention.",
    )
