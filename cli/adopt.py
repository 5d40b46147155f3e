"""What `persona adopt` tells: which photos are on the account already, and what could not be looked at."""

from typing import Any

from cli.shown import remark, say, short
from domain.adopt import Adoption, Finding, Match
from domain.ids import PersonaId


def say_adoption(persona_id: PersonaId, found: Adoption, *, dry_run: bool) -> None:
    say(
        f"Looked at {found.pictures} pictures in {found.media} media of the account; passed over: "
        f"{found.own} posts of this program, {found.others} films."
    )
    held_back = found.found(Finding.HELD_BACK)
    before = found.found(Finding.HELD_BACK_BEFORE)
    would_be = "Would be taken" if dry_run else "Taken"
    say(f"{would_be} out of the queue, as posted elsewhere: {len(held_back)}; before: {len(before)}.", "green")
    for match in held_back:
        say(f"  {_line(match)}")
    for match in found.found(Finding.HAS_A_POST):
        say(f"  has a post of its own, which is left as it is: {_line(match)}", "yellow")
    for one in found.unseen:
        say(f"  not looked at: {one.permalink or f'media {one.media_id}'}: {one.reason}", "red")
    if found.without_hashes:
        remark(
            f"{found.without_hashes} photos of the library cannot be compared, since an older version imported them. "
            f"Import them again with `fluffy-train photos import FOLDER --persona {persona_id}`, then adopt again."
        )
    if dry_run:
        say("Dry run: nothing was written.")


def _line(match: Match) -> str:
    where = match.permalink or f"media {match.media_id}"
    return f"photo {short(match.photo_id)}  {where}  {match.bits} bits apart"


def adoption_facts(persona_id: PersonaId, found: Adoption, *, dry_run: bool, stopped: str | None) -> dict[str, Any]:
    return {
        "persona_id": persona_id,
        "dry_run": dry_run,
        "media": found.media,
        "pictures": found.pictures,
        "own_posts": found.own,
        "films": found.others,
        "matches": [
            {
                "photo_id": match.photo_id,
                "media_id": match.media_id,
                "permalink": match.permalink,
                "bits": match.bits,
                "finding": match.finding.value,
            }
            for match in found.matches.values()
        ],
        "not_looked_at": [
            {"media_id": one.media_id, "permalink": one.permalink, "reason": one.reason} for one in found.unseen
        ],
        "photos_without_hashes": found.without_hashes,
        "stopped": stopped,
    }
