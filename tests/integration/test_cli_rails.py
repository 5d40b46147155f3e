"""`fluffy-train import-rails`: what the Rails app posted, or may have posted, is never posted by us."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import Result

from adapters.dynamo import DynamoPhotoLibrary
from domain.ids import PhotoId
from domain.photos import HeldBackFor, Photo
from domain.posts import Post, PostStatus
from domain.slots import Slot
from integration.test_cli_import import id_of, photo, queue
from integration.test_cli_stack import PERSONA, CliStack, error_line, jpeg

POSTS = "id,photo_id,persona_id,caption,status,provider_post_id,scheduled_time,posted_at,strategy_name"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


class Rails:
    """The Rails app's tables and its pictures, one for each of ``names``: photo 1 is the first of them."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.tables, self.files = folder / "tables", folder / "files"
        self.tables.mkdir()
        self.ids: dict[str, PhotoId] = {}
        for number, name in enumerate(names):
            path = self.files / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(f"hsl({number * 30}, 90%, 50%)"))
            self.ids[name] = id_of(path)
        self.write("personas", "id,name,secret", "7,Ada,IGAA-old")
        rows = [f"{number},7,/srv/storage/{name}.jpg,2025-01-01 00:00:00" for number, name in enumerate(names, start=1)]
        self.write("photos", "id,persona_id,path,created_at", *rows)
        scores = [f"{number},{number},{9.5 - number / 2},0.3" for number in range(1, len(names) + 1)]
        self.write("photo_analyses", "id,photo_id,aesthetic_score,sharpness_score", *scores)
        self.write("scheduling_posts", POSTS)

    def write(self, table: str, *lines: str) -> None:
        (self.tables / f"{table}.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def posts(self, *rows: str) -> None:
        self.write("scheduling_posts", POSTS, *rows)


@pytest.fixture
def rails(tmp_path: Path) -> Rails:
    return Rails(tmp_path, "a", "b", "c", "d")


def import_rails(stack: CliStack, rails: Rails, *options: str, persona: str = "7=default") -> Result:
    return stack.run("import-rails", str(rails.tables), "--files", str(rails.files), "--persona-map", persona, *options)


def posts(stack: CliStack) -> Mapping[Slot, Post]:
    return {post.slot: post for post in stack.adapters.ledger.history(PERSONA, limit=100)}


def test_what_was_posted_is_on_record_and_the_rest_is_queued_by_its_score(stack: CliStack, rails: Rails) -> None:
    rails.posts(
        "1,1,7,The caption,posted,17920238422030506,2025-03-01 09:00:00,2025-03-01 09:00:07.123456,curators",
        "2,3,7,,draft,,,,curators",
    )
    result = import_rails(stack, rails)
    assert result.stdout == (
        "Photos: waiting for their turn 3, posted before 1, perhaps posted before and held back 0; left out 0.\n"
    )
    assert result.exit_code == 0
    assert queue(stack) == [rails.ids[name] for name in "bcd"]
    analysis = photo(stack, rails.ids["b"]).analysis
    assert analysis is not None
    assert (analysis.aesthetic_score, analysis.scorer) == (8.5, "given")
    ((slot, post),) = posts(stack).items()
    assert photo(stack, rails.ids["a"]).post_slot == slot == Slot.parse("2025-03-01T09:00:07Z")
    assert (post.status, post.provider_post_id, post.caption, post.photo_id) == (
        PostStatus.POSTED,
        "17920238422030506",
        "The caption",
        rails.ids["a"],
    )


FATES = {
    "posted,,,2025-03-01 09:00:07,": "posted",
    "Published,,2025-03-01 09:30:07+00,,": "posted",
    "posted,,,,": "held back",
    "posting,,,2025-03-01 09:00:07,": "held back",
    "whatever,,,,": "held back",
    ",,,,": "held back",
    "3,,,,": "held back",
    "failed,1792,,2025-03-01 10:00:07,": "posted",
    "failed,,2025-03-01 09:00:00,,": "free",
    "draft,,,,": "free",
    "scheduled,,2027-03-01 09:00:00,,": "free",
}


def test_a_status_decides_and_what_nobody_knows_is_never_posted(stack: CliStack, tmp_path: Path) -> None:
    rails = Rails(tmp_path, *(f"photo-{number}" for number in range(1, len(FATES) + 1)))
    rails.posts(*(f"1,{number},7,,{row}" for number, row in enumerate(FATES, start=1)))
    assert import_rails(stack, rails).exit_code == 0
    fates = []
    for photo_id in rails.ids.values():
        one = photo(stack, photo_id)
        is_held_back = one.held_back is not None and one.held_back.reason is HeldBackFor.POSTED_ELSEWHERE
        fates.append("posted" if one.post_slot is not None else "held back" if is_held_back else "free")
        assert (photo_id in queue(stack)) == (fates[-1] == "free")
    assert dict(zip(FATES, fates, strict=True)) == FATES
    assert len(posts(stack)) == list(FATES.values()).count("posted")
    assert list(stack.adapters.ledger.open_posts(stack.adapters.clock.now())) == []


def test_statuses_that_are_numbers_are_given_their_names(stack: CliStack, rails: Rails) -> None:
    rails.posts("1,1,7,,0,,,,", "2,2,7,,3,,,2025-03-01 09:00:07,", "3,3,7,,2,,,,")
    import_rails(stack, rails, "--status", "0=draft", "--status", "3=posted")
    assert queue(stack) == [rails.ids["a"], rails.ids["d"]]
    assert photo(stack, rails.ids["b"]).post_slot is not None
    assert photo(stack, rails.ids["c"]).held_back is not None


def test_a_photo_is_marked_before_it_can_enter_the_queue(
    stack: CliStack, rails: Rails, monkeypatch: pytest.MonkeyPatch
) -> None:
    rails.posts("1,1,7,,posted,,,2025-03-01 09:00:07,", "2,2,7,,posting,,,,")
    admit, admitted = DynamoPhotoLibrary.admit, []

    def admit_and_look(library: DynamoPhotoLibrary, one: Photo) -> bool:
        standing = photo(stack, one.photo_id)
        admitted.append((one.photo_id, standing.post_slot is not None or standing.held_back is not None))
        assert one.photo_id not in queue(stack)
        return admit(library, one)

    monkeypatch.setattr(DynamoPhotoLibrary, "admit", admit_and_look)
    import_rails(stack, rails)
    assert sorted(admitted[:2]) == sorted([(rails.ids["a"], True), (rails.ids["b"], True)])
    assert {is_marked for _, is_marked in admitted[2:]} == {False}


def test_a_photo_that_waited_in_the_queue_before_leaves_it(stack: CliStack, rails: Rails) -> None:
    stack.run("photos", "import", str(rails.files))
    assert len(queue(stack)) == 4
    rails.posts("1,1,7,,posted,,,2025-03-01 09:00:07,", "2,2,7,,posting,,,,")
    import_rails(stack, rails)
    assert set(queue(stack)) == {rails.ids["c"], rails.ids["d"]}


def test_doing_it_again_changes_nothing(stack: CliStack, rails: Rails) -> None:
    rails.posts("1,1,7,,posted,,,2025-03-01 09:00:07,", "2,2,7,,posting,1792,,,", "3,3,7,,posting,,,,")
    first = import_rails(stack, rails)
    exported = stack.run("export").stdout
    assert import_rails(stack, rails).stdout == first.stdout
    assert stack.run("export").stdout == exported


def test_two_posts_of_one_second_and_two_posts_of_one_photo(stack: CliStack, rails: Rails) -> None:
    rails.posts(
        "1,1,7,,posted,,,2025-03-01 09:00:07,",
        "2,2,7,,posted,,,2025-03-01 09:00:07.5,",
        "3,1,7,,posted,,,2025-04-01 09:00:00,",
        "4,1,7,,posting,,,2025-01-01 09:00:00,",
    )
    assert import_rails(stack, rails).exit_code == 0
    assert [str(slot) for slot in sorted(posts(stack))] == ["2025-03-01T09:00:07Z", "2025-03-01T09:00:08Z"]


def test_one_picture_under_two_rows_is_posted_if_one_of_them_is(stack: CliStack, rails: Rails) -> None:
    (rails.files / "b.jpg").write_bytes((rails.files / "a.jpg").read_bytes())
    rails.posts("1,2,7,,posted,,,2025-03-01 09:00:07,")
    import_rails(stack, rails)
    assert queue(stack) == [rails.ids["c"], rails.ids["d"]]


def test_a_posted_photo_whose_file_is_missing_is_named_with_a_warning(stack: CliStack, rails: Rails) -> None:
    (rails.files / "a.jpg").unlink()
    (rails.files / "b.jpg").unlink()
    (rails.files / "c.jpg").write_bytes(b"no picture")
    rails.posts("1,1,7,,posted,,,2025-03-01 09:00:07,", "2,9,7,,posted,,,2025-03-01 09:00:07,")
    result = import_rails(stack, rails)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].endswith("left out 4.")
    assert lines[1] == "  left out: scheduling_posts.csv, line 3: its photo 9 is not in photos.csv"
    assert lines[2] == "  left out: photo 2 (/srv/storage/b.jpg): there is no file b.jpg in the folder"
    assert lines[3].startswith("  left out: photo 3 (/srv/storage/c.jpg): ")
    assert (
        lines[4] == "  on the account, and left out: photo 1 (/srv/storage/a.jpg): there is no file a.jpg in the folder"
    )
    assert lines[5].startswith("Do not import these by another way")
    assert queue(stack) == [rails.ids["d"]]


def test_a_score_that_is_none_keeps_a_free_photo_out_and_a_posted_one_in(stack: CliStack, rails: Rails) -> None:
    rails.write("photo_analyses", "photo_id,aesthetic_score", "1,85", "2,bad", "3,0.5")
    rails.posts("1,1,7,,posted,,,2025-03-01 09:00:07,")
    result = import_rails(stack, rails)
    assert "left out: photo 2 (/srv/storage/b.jpg): aesthetic_score is 'bad', which is no number" in result.stdout
    assert photo(stack, rails.ids["a"]).post_slot is not None


def test_scores_of_another_scale_are_brought_to_ours(stack: CliStack, rails: Rails) -> None:
    rails.write("photo_analyses", "photo_id,aesthetic_score", "1,85", "2,40")
    import_rails(stack, rails, "--highest-score", "100")
    analysis = photo(stack, rails.ids["a"]).analysis
    assert analysis is not None
    assert analysis.aesthetic_score == 8.5


def test_photos_of_a_persona_without_a_match_are_named(stack: CliStack, rails: Rails) -> None:
    rails.write("photos", "id,persona_id,filename", "1,7,a.jpg", "2,8,b.jpg")
    result = import_rails(stack, rails, persona="Ada=default")
    assert result.exit_code == 1
    assert "left out: photo 2 (b.jpg): its persona 8 has no --persona-map" in result.stdout
    assert queue(stack) == [rails.ids["a"]]


@pytest.mark.parametrize(
    ("table", "lines", "complaint"),
    [
        ("photos", ["id,path", "1,a.jpg"], "photos.csv lacks the column persona_id; export it with `csv header`."),
        ("photos", ["id,persona_id", "1,7"], "photos.csv has no column that names the file; one of path, "),
        ("scheduling_posts", ["id,photo_id", "1,1"], "scheduling_posts.csv lacks the column status; "),
        ("scheduling_posts", [POSTS, "1,1,7,,posted,,,yesterday,"], "scheduling_posts.csv, line 2: 'yesterday' is no"),
        ("photos", ["id,persona_id,path", '1,7,"a'], "photos.csv cannot be read after line"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_and_nothing_is_written(
    stack: CliStack, rails: Rails, table: str, lines: list[str], complaint: str
) -> None:
    rails.write(table, *lines)
    assert complaint in error_line(import_rails(stack, rails))
    assert stack.objects() == {}


def test_a_missing_table_is_named(stack: CliStack, rails: Rails) -> None:
    (rails.tables / "photos.csv").unlink()
    assert "photos.csv cannot be read: No such file or directory." in error_line(import_rails(stack, rails))


def test_a_persona_that_is_not_there_is_named(stack: CliStack, rails: Rails) -> None:
    assert error_line(import_rails(stack, rails, persona="Bob=default")) == (
        "personas.csv has 0 personas 'Bob'; it has: 7 (Ada)."
    )
    assert "There is no persona other." in error_line(import_rails(stack, rails, persona="7=other"))
    assert import_rails(stack, rails, persona="7").exit_code == 2
