"""The figure, by the numbers that it shows."""

import numpy as np

from zipo.commands.worth import figure


def test_each_panel_shows_its_numbers(checked):
    adata, worth = checked
    drawn = figure.of_worth(worth)
    shares, gains, genes, cells = drawn.axes
    labels = [label.get_text() for label in shares.get_yticklabels()]
    assert labels == ["ZiPo", "shrunk gene by gene", "mixed with gene means", "rebuilt by PCA"]
    values = [container.lines[0].get_xdata()[0] for container in shares.containers]
    expected = [100 * worth.explained[name].value for name in figure.LABELS]
    np.testing.assert_allclose(values, expected)
    values = [container.lines[0].get_xdata()[0] for container in gains.containers]
    expected = [100 * worth.gains[name].value for name in list(figure.LABELS)[1:]]
    np.testing.assert_allclose(values, [*expected, 100 * worth.permuted_gain.value])
    points = np.concatenate([collection.get_offsets() for collection in genes.collections])
    np.testing.assert_allclose(np.sort(points[:, 1]), np.sort(100 * adata.var["zipo_explained"].dropna()))
    assert sum(bar.get_height() for bar in cells.patches) == 400
    assert drawn.get_suptitle().endswith("worth it")


def test_a_figure_is_known_again(checked, tmp_path):
    drawn = figure.of_worth(checked[1])
    figure.write(drawn, tmp_path / "check.png")
    drawn.savefig(tmp_path / "other.png")
    assert [figure.is_written(tmp_path / f"{name}.png") for name in ("check", "other")] == [True, False]
