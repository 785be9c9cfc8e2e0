"""GEO's own files: the family SOFT file, filelist.txt, and the paths that both stand at."""

import gzip

import pytest

from tests.datasets import geo_tree
from zipo.datasets.geo import soft
from zipo.shared.errors import InputError

GEO = "ftp://ftp.ncbi.nlm.nih.gov/geo"


@pytest.fixture
def plates(tmp_path):
    return geo_tree.write_plates(tmp_path, plates=3, wells=4, genes=5)


def edit(path, change) -> None:
    """Replace a gzipped text by `change` of it."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()).decode()).encode()))


def test_a_series_lists_its_files_and_those_of_its_samples(plates):
    series = soft.read_soft(plates.soft, "GSE117156")
    assert series.accession == "GSE117156"
    assert series.title == "Plasma cell heterogeneity in symptomatic and asymptomatic myeloma"
    assert series.files == (
        f"{GEO}/series/GSE117nnn/GSE117156/suppl/GSE117156_RAW.tar",
        f"{GEO}/series/GSE117nnn/GSE117156/suppl/GSE117156_metadata.txt.gz",
    )
    assert series.samples[1] == soft.Sample(
        "GSM3272411", "AB3059", (f"{GEO}/samples/GSM3272nnn/GSM3272411/suppl/GSM3272411_AB3059.txt.gz",)
    )
    assert series.sample_file_names() == plates.members


def test_quoted_and_plain_names_are_the_same_file_and_none_is_no_file(tmp_path):
    liver = geo_tree.write_liver(tmp_path, cells=9, genes=9, density=0.5)
    series = soft.read_soft(liver.soft, "GSE125188")
    assert any("%2B" in url for url in series.files)
    assert sorted(map(soft.file_name, series.files)) == sorted(path.name for path in liver.suppl.iterdir())
    assert len(series.samples) == 9
    assert series.sample_file_names() == []


@pytest.mark.parametrize(
    "url",
    [
        "NONE",
        "none",
        "ftp://ftp-trace.ncbi.nlm.nih.gov/sra/sra-instant/reads/ByExp/sra/SRX/SRX439/SRX4390001",
        "https://www.ncbi.nlm.nih.gov/sra?term=SRX4390001",
        "ftp://ftp.ebi.ac.uk/geo/samples/GSM3272nnn/GSM3272411/suppl/GSM3272411_AB1.txt.gz",
        "ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE117nnn/GSE117156/suppl/GSE117156_AB1.txt.gz",
    ],
)
def test_what_stands_elsewhere_than_among_the_samples_is_no_file_of_a_sample(plates, url):
    line = "!Sample_supplementary_file_1 = "
    edit(plates.soft, lambda text: text.replace(line, f"!Sample_supplementary_file_2 = {url}\n{line}", 1))
    assert soft.read_soft(plates.soft, "GSE117156").sample_file_names() == plates.members


def test_bytes_that_are_not_utf_8_are_no_damage(plates):
    note = b"!Sample_treatment_protocol_ch1 = sorted into 2 \xb5l at 4 \xb0C\n"
    text = gzip.decompress(plates.soft.read_bytes())
    plates.soft.write_bytes(gzip.compress(text.replace(b"!Sample_title", note + b"!Sample_title")))
    series = soft.read_soft(plates.soft, "GSE117156")
    assert series.sample_file_names() == plates.members
    assert [sample.title for sample in series.samples] == ["AB3058", "AB3059", "AB3060"]


def test_geoparse_says_nothing(plates, capfd):
    soft.read_soft(plates.soft, "GSE117156")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text[: text.index("^SAMPLE = GSM3272412")],
            "its series lists GSM3272412, which it does not hold",
        ),
        (lambda text: text[: text.index("^SAMPLE")], "its series lists GSM3272410, GSM3272411, GSM3272412, which"),
        (
            lambda text: text.replace("!Series_sample_id = GSM3272411\n", ""),
            "it holds GSM3272411, which its series does not list",
        ),
        (
            lambda text: text.replace("^SERIES = GSE117156", "^SERIES = GSE1"),
            "holds the series GSE1, but GSE117156 was",
        ),
        (lambda _: "<!DOCTYPE html><html>Not found</html>", "holds no series, perhaps a page of HTML, but GSE117156"),
        (lambda text: text + "^SERIES = GSE2\n!Series_title = x\n", "GEOparse cannot read it .*only one series"),
        (lambda _: "", "the file is empty"),
    ],
)
def test_a_text_that_is_not_the_whole_series_is_refused(plates, change, message):
    edit(plates.soft, change)
    with pytest.raises(InputError, match=rf"^GSE117156_family\.soft\.gz: {message}"):
        soft.read_soft(plates.soft, "GSE117156")


def test_a_damaged_gzip_is_refused(plates):
    complete = plates.soft.read_bytes()
    wrong_checksum = complete[:-8] + bytes(4) + complete[-4:]
    for content, problem in (
        (complete[:-20], "the gzip is damaged"),
        (wrong_checksum, "the gzip is damaged .*CRC"),
        (b"<!DOCTYPE html>", "the gzip is damaged .*Not a gzipped file"),
        (b"", "the file is empty"),
    ):
        plates.soft.write_bytes(content)
        with pytest.raises(InputError, match=rf"^GSE117156_family\.soft\.gz: {problem}"):
            soft.read_soft(plates.soft, "GSE117156")
    plates.soft.unlink()
    with pytest.raises(InputError, match=r"^GSE117156_family\.soft\.gz: there is no such file in "):
        soft.read_soft(plates.soft, "GSE117156")


def test_the_file_list_gives_sizes_by_name(plates):
    sizes = soft.read_file_list(plates.suppl / "filelist.txt")
    folder = plates.suppl.parents[3]
    assert sizes.pop("GSE117156_RAW.tar") == (plates.suppl / "GSE117156_RAW.tar").stat().st_size
    assert list(sizes) == plates.members
    for name, size in sizes.items():
        assert size == (folder / soft.supplement_path(name.partition("_")[0], name)).stat().st_size


HEADER = "#Archive/File\tName\tTime\tSize\tType\n"
ROW = "Archive\ta.tar\t12/06/2018 03:02:42\t20480\tTAR\n"


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (HEADER + ROW, {"a.tar": 20480}),
        (HEADER + ROW + "\n\n", {"a.tar": 20480}),
        (HEADER + "\n" + ROW.replace("\n", "\r\n"), {"a.tar": 20480}),
        (ROW, {"a.tar": 20480}),
        (HEADER + ROW + "File\tb.gz\t07/16/2018 10:32:04\t\tTXT\n", {"a.tar": 20480}),
        (HEADER + ROW + "File\tb.gz\t07/16/2018 10:32:04\tmany\tTXT\nFile\tc\n", {"a.tar": 20480}),
        (HEADER, {}),
        ("", {}),
        ("<html>", {}),
    ],
)
def test_a_file_list_gives_the_sizes_that_it_has(tmp_path, text, sizes):
    path = tmp_path / "filelist.txt"
    path.write_text(text)
    assert soft.read_file_list(path) == sizes


def test_paths_are_those_of_geo():
    assert soft.soft_path("GSE125188") == "series/GSE125nnn/GSE125188/soft/GSE125188_family.soft.gz"
    assert soft.supplement_path("GSE125188", "a+b.gz") == "series/GSE125nnn/GSE125188/suppl/a+b.gz"
    assert soft.supplement_path("GSM3272410", "a.gz") == "samples/GSM3272nnn/GSM3272410/suppl/a.gz"
    assert soft.folder("GSE42") == "series/GSEnnn/GSE42"
    for name in ("GPL570", "GSE", "GSE1/../x"):
        with pytest.raises(InputError, match="is no accession of GEO"):
            soft.folder(name)
