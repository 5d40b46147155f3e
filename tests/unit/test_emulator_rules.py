"""The emulator's rules that need no server: texts, pictures, the order of faults, the clock."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from local.instagram.activity import RollingWindow
from local.instagram.captions import check_alt_text, check_caption
from local.instagram.clock import EmulatorClock
from local.instagram.errors import GraphError
from local.instagram.faults import BehaviourPlan, ContainerBehaviour, Fault, FaultPlan, RandomFaults
from local.instagram.identifiers import media_ids, shortcode
from local.instagram.pictures import check_picture

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def picture(width: int, height: int, image_format: str = "JPEG") -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(canvas, image_format)
    return canvas.getvalue()


def numbers(error: pytest.ExceptionInfo[GraphError]) -> tuple[int, int | None]:
    return error.value.failure.code, error.value.failure.subcode


@pytest.mark.parametrize(
    "caption",
    ["", "x" * 2200, "é" * 2200, " ".join(["#sky"] * 30), " ".join(["@you"] * 20), "me@home.example " * 21],
)
def test_a_caption_within_the_limits_passes(caption: str) -> None:
    check_caption(caption)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("x" * 2201, (36004, 2207010)),
        (" ".join(["#sky"] * 31), (36004, 2207010)),
        (" ".join(["@you"] * 21), (100, 2207040)),
    ],
)
def test_a_caption_over_a_limit_is_refused(caption: str, expected: tuple[int, int]) -> None:
    with pytest.raises(GraphError) as refusal:
        check_caption(caption)
    assert numbers(refusal) == expected


def test_an_alternative_text_has_at_most_1000_characters() -> None:
    check_alt_text("x" * 1000)
    with pytest.raises(GraphError) as refusal:
        check_alt_text("x" * 1001)
    assert numbers(refusal) == (100, None)


@pytest.mark.parametrize("size", [(1080, 1350), (1080, 1080), (1910, 1000)])
def test_a_jpeg_between_4_to_5_and_191_to_100_passes(size: tuple[int, int]) -> None:
    check_picture(picture(*size))


@pytest.mark.parametrize("size", [(1080, 1351), (1911, 1000)])
def test_a_picture_beyond_the_ratios_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(GraphError) as refusal:
        check_picture(picture(*size))
    assert numbers(refusal) == (36003, 2207009)


def mpo() -> bytes:
    canvas = io.BytesIO()
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("teal", "navy")]
    frames[0].save(canvas, "MPO", save_all=True, append_images=frames[1:])
    return canvas.getvalue()


@pytest.mark.parametrize(
    "payload",
    [picture(400, 400, "PNG"), mpo(), picture(400, 400)[:-200], b"", b"no picture"],
    ids=["PNG", "MPO", "cut off", "empty", "text"],
)
def test_what_is_not_one_whole_jpeg_is_refused(payload: bytes) -> None:
    with pytest.raises(GraphError) as refusal:
        check_picture(payload)
    assert numbers(refusal) == (36001, 2207005)


def test_a_picture_over_8_mebibytes_is_refused() -> None:
    with pytest.raises(GraphError) as refusal:
        check_picture(picture(400, 400).ljust(8 * 1024 * 1024 + 1, b"\0"))
    assert numbers(refusal) == (36000, 2207004)


@pytest.mark.parametrize(("width", "shown"), [(200, 320), (320, 320), (1440, 1440), (3000, 1440)])
def test_a_picture_is_shown_320_to_1440_wide(width: int, shown: int) -> None:
    checked = check_picture(picture(width, width))
    assert Image.open(io.BytesIO(checked.jpeg)).width == shown


def test_faults_for_one_call_are_used_up_in_the_order_given() -> None:
    plan = FaultPlan()
    plan.order(Fault.reset("media_publish", times=2))
    plan.order(Fault.close("media_publish"))
    kinds = [fault and fault.kind for fault in (plan.take("media_publish", "1") for _ in range(4))]
    assert kinds == ["reset", "reset", "close", None]


def test_a_fault_skips_the_calls_it_was_told_to() -> None:
    plan = FaultPlan()
    plan.order(Fault.reset("media_publish", skip=2, times=1))
    assert [bool(plan.take("media_publish", "1")) for _ in range(4)] == [False, False, True, False]


def test_a_fault_meets_only_its_call_and_its_account() -> None:
    plan = FaultPlan()
    plan.order(Fault.reset("media_publish", ig_user_id="1"))
    assert plan.take("recent_media", "1") is None
    assert plan.take("media_publish", "2") is None
    assert plan.take("media_publish", "1") is not None


def test_a_fault_without_an_end_lasts_until_cleared() -> None:
    plan = FaultPlan()
    plan.order(Fault.reset("*", times=None))
    assert all(plan.take("me", "1") for _ in range(50))
    plan.clear()
    assert plan.take("me", "1") is None


def test_a_fault_survives_its_way_through_json() -> None:
    faults = (
        Fault.error("media_publish", 4, 2207051, status=403, is_transient=None, when="after", times=None),
        Fault.body("me", b"\xff\xfe", status=500, headers=[("Content-Type", "text/html")], skip=3),
        Fault.timeout("quota", 2.5, ig_user_id="1"),
    )
    assert tuple(Fault.from_json(fault.to_json()) for fault in faults) == faults


@pytest.mark.parametrize(
    "members",
    [
        {"call": "no_such_call", "kind": "reset"},
        {"call": "me", "kind": "explode"},
        {"call": "me", "kind": "error"},
        {"call": "me", "kind": "body"},
        {"call": "me", "kind": "reset", "times": 0},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no such|has a failure|times is"):
        Fault.from_json(members)


def test_random_faults_repeat_with_their_seed_however_calls_interleave() -> None:
    faults = RandomFaults(7, 0.3, ((3, Fault.reset("*")), (1, Fault.close("media_publish"))))

    def drawn(names: list[str]) -> list[str | None]:
        plan = FaultPlan()
        plan.order_random(faults)
        results: list[str | None] = []
        for name in names:
            fault = plan.take("media_publish" if name == "p" else "me", "1")
            if name == "p":
                results.append(fault.kind if fault else None)
        return results

    alone, interleaved = drawn(["p"] * 200), drawn(["p", "m"] * 200)
    assert alone == interleaved
    assert {None, "reset", "close"} == set(alone)
    assert 30 < sum(kind is not None for kind in alone) < 90


def test_a_container_behaviour_meets_the_next_containers_of_its_account() -> None:
    plan = BehaviourPlan()
    plan.order(ContainerBehaviour("stick", times=2, ig_user_id="1"))
    assert plan.take("2") is None
    assert [bool(plan.take("1")) for _ in range(3)] == [True, True, False]


def test_a_rolling_window_forgets_what_is_older_than_its_span() -> None:
    window = RollingWindow(timedelta(hours=24))
    window.add(NOON)
    window.add(NOON + timedelta(hours=1))
    assert window.count(NOON + timedelta(hours=2)) == 2
    assert window.minutes_until_free(NOON + timedelta(hours=2)) == 22 * 60
    assert window.count(NOON + timedelta(hours=24)) == 1


def test_the_clock_only_moves_forward_and_only_with_a_time_zone() -> None:
    clock = EmulatorClock(NOON)
    assert clock.advance(90) == NOON + timedelta(seconds=90) == clock.now()
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="time zone"):
        clock.freeze(NOON.replace(tzinfo=None))


def test_ids_are_long_unique_strings_of_digits_and_have_short_codes() -> None:
    sequence = media_ids()
    ids = [sequence.next() for _ in range(1000)]
    assert len(set(ids)) == 1000 == len({shortcode(each) for each in ids})
    assert all(each.isdecimal() and len(each) == 17 for each in ids)
