"""The CSV of scores: what is read of it, and that each bad row is named by its line while the rest goes on."""

from pathlib import Path

import pytest

from cli.scores_csv import ScoreRow, Scores, UnusableScoresError, key, read_scores

HEADER = "file,aesthetic_score,caption,alt_text"


def read(folder: Path, content: str | bytes) -> Scores:
    path = folder / "scores.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_scores(path)


def reason_for(scores: Scores, what: str) -> str:
    (left_out,) = scores.left_out
    assert left_out.what == what
    return left_out.reason


def test_a_row_gives_a_file_its_score_caption_and_alt_text(tmp_path: Path) -> None:
    scores = read(tmp_path, f"{HEADER}\nsea.jpg,7.25,The sea,Waves on a beach\n")
    assert scores == Scores({"sea.jpg": ScoreRow(2, "sea.jpg", 7.25, "The sea", "Waves on a beach")})


def test_empty_cells_give_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, f"{HEADER}\nsea.jpg, ,,\n").rows["sea.jpg"].facts == (None, None, None)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_ends_of_lines_may_be_of_any_system(tmp_path: Path, end: str) -> None:
    scores = read(tmp_path, end.join(["file,aesthetic_score", "sea.jpg,7", "", "sun.jpg,8", ""]))
    assert [(row.line, row.file) for row in scores.rows.values()] == [(2, "sea.jpg"), (4, "sun.jpg")]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert set(read(tmp_path, b"\xef\xbb\xbffile,aesthetic_score\nsea.jpg,7\n").rows) == {"sea.jpg"}


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    scores = read(tmp_path, "caption, aesthetic_score ,file\nThe sea,7,sea.jpg\n")
    assert scores.rows["sea.jpg"] == ScoreRow(2, "sea.jpg", 7.0, "The sea")


def test_a_quoted_caption_may_have_lines_commas_and_quotes(tmp_path: Path) -> None:
    content = f'{HEADER}\r\nsea.jpg,7,"Blue,\r\n""deep"" sea\r\n",\r\nsun.jpg,8,,\r\n'
    scores = read(tmp_path, content)
    assert scores.rows["sea.jpg"].caption == 'Blue,\n"deep" sea'
    assert scores.rows["sun.jpg"].line == 5, "the line in the file, not the row's number"


def test_a_row_is_named_by_the_line_in_which_it_begins(tmp_path: Path) -> None:
    scores = read(tmp_path, f'{HEADER}\nsea.jpg,7,"a\nb\nc",\nsun.jpg,eleven,"a\nb",\n')
    assert "is no number" in reason_for(scores, "line 5 (sun.jpg)")


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("abc", "'abc', which is no number; give 0 to 10"),
        ("nan", "is no number"),
        ("NaN", "is no number"),
        ("inf", "is no number"),
        ("-inf", "is no number"),
        ("1_0", "is no number"),
        ("٧", "is no number"),
        ("0x5", "is no number"),
        ("--5", "is no number"),
        ("5 5", "is no number"),
        ('"7,5"', "with a point and no comma"),
        ("10.01", "runs from 0 to 10"),
        ("-0.01", "runs from 0 to 10"),
        ("1e99", "runs from 0 to 10"),
        ("1e999", "runs from 0 to 10"),
    ],
)
def test_what_is_no_score_is_named_and_the_rest_goes_on(tmp_path: Path, cell: str, says: str) -> None:
    scores = read(tmp_path, f"file,aesthetic_score\nsea.jpg,{cell}\nsun.jpg,8\n")
    assert says in reason_for(scores, "line 2 (sea.jpg)")
    assert scores.rows == {"sun.jpg": ScoreRow(3, "sun.jpg", 8.0)}
    assert scores.refused == {"sea.jpg"}


@pytest.mark.parametrize(
    ("cell", "score"),
    [("0", 0.0), ("10", 10.0), ("-0", 0.0), (" 7.5 ", 7.5), (".5", 0.5), ("5.", 5.0), ("+5", 5.0), ("1e-300", 0.0)],
)
def test_a_score_may_be_written_as_numbers_are(tmp_path: Path, cell: str, score: float) -> None:
    read_score = read(tmp_path, f"file,aesthetic_score\nsea.jpg,{cell}\n").rows["sea.jpg"].aesthetic_score
    assert repr(read_score) == repr(score), "and is never -0.0, which the queue would sort below 0"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f"sea.jpg,7,{'x' * 2201},", "2201 characters, and Instagram takes 2200"),
        (f"sea.jpg,7,{'#a ' * 31},", "31 hashtags, and Instagram takes 30"),
        (f"sea.jpg,7,{'@a ' * 21},", "21 mentions, and Instagram takes 20"),
        (f"sea.jpg,7,,{'x' * 1001}", "the alt text has 1001 characters, and Instagram takes 1000"),
        ("sea.jpg,7", "it has 2 columns where the header has 4"),
        ("sea.jpg", "it has 1 columns where the header has 4"),
        ("sea.jpg,7,The sea, and more,", "it has 5 columns where the header has 4; put a cell with a comma in"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_rest_goes_on(tmp_path: Path, row: str, says: str) -> None:
    scores = read(tmp_path, f"{HEADER}\n{row}\nsun.jpg,8,,\n")
    assert says in reason_for(scores, "line 2 (sea.jpg)")
    assert set(scores.rows) == {"sun.jpg"}


def test_a_row_that_names_no_file_is_named_by_its_line_alone(tmp_path: Path) -> None:
    assert reason_for(read(tmp_path, "file,aesthetic_score\n,7\n"), "line 2") == "it names no file"


def test_a_second_row_for_a_file_is_left_out_and_the_first_counts(tmp_path: Path) -> None:
    scores = read(tmp_path, "file,aesthetic_score\nsea.jpg,7\nsun.jpg,1\n./sea.jpg,8\n")
    assert "has a row already, in line 2; that one counts" in reason_for(scores, "line 4 (./sea.jpg)")
    assert scores.rows["sea.jpg"].aesthetic_score == 7.0
    assert scores.refused == set()


def test_a_second_row_does_not_make_good_for_a_bad_one(tmp_path: Path) -> None:
    scores = read(tmp_path, "file,aesthetic_score\nsea.jpg,bad\nsea.jpg,8\n")
    assert [left_out.what for left_out in scores.left_out] == ["line 2 (sea.jpg)", "line 3 (sea.jpg)"]
    assert scores.rows == {}


def test_a_row_that_is_not_utf_8_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    scores = read(tmp_path, b"file,aesthetic_score,caption\nsea.jpg,7,Caf\xe9\nsun.jpg,8,Caf\xc3\xa9\n")
    assert "it is not UTF-8" in reason_for(scores, "line 2 (sea.jpg)")
    assert scores.rows["sun.jpg"].caption == "Café"


def test_a_row_whose_quotes_are_wrong_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    scores = read(tmp_path, 'file,aesthetic_score,caption\nsea.jpg,7,"Blue" sea\nsun.jpg,8,\n')
    assert "quotes or commas" in reason_for(scores, "line 2")
    assert set(scores.rows) == {"sun.jpg"}


def test_a_quote_that_is_never_closed_is_named_where_it_begins(tmp_path: Path) -> None:
    scores = read(tmp_path, 'file,aesthetic_score,caption\nsun.jpg,8,\nsea.jpg,7,"Blue\nmoon.jpg,6,\n')
    assert "quotes or commas" in reason_for(scores, "line 3")
    assert set(scores.rows) == {"sun.jpg"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "lacks 'file', 'aesthetic_score'"),
        ("\n\n", "lacks 'file', 'aesthetic_score'"),
        ("sea.jpg,7\n", "lacks 'file', 'aesthetic_score'"),
        ("file,caption\n", "lacks 'aesthetic_score'"),
        ("file;aesthetic_score\n", "lacks 'file', 'aesthetic_score'"),
        ("file,aesthetic_score,captoin\n", "has the unknown column 'captoin'"),
        ("file,aesthetic_score,file\n", "has twice 'file'"),
        ('file,"aesthetic_score\n', "cannot be read"),
        ("file,aesthetic_score\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_without_the_right_header_no_row_can_be_used(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(UnusableScoresError) as refused:
        read(tmp_path, content)
    assert says in str(refused.value)
    assert "must be `file,aesthetic_score`" in str(refused.value)


def test_names_are_compared_as_people_read_them() -> None:
    assert key("Cafe\u0301.jpg") == key("Café.jpg")
    assert key("summer\\sea.jpg") == key("./summer/sea.jpg") == "summer/sea.jpg"
    assert key("Sea.jpg") != key("sea.jpg")
