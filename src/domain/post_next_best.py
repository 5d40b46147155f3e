"""The use case behind the schedule: post the best photo not yet posted, once for each slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from domain.captions import caption_problem
from domain.curators_choice import CuratorsChoice
from domain.faults import AccountFault, FaultRecord
from domain.ids import PersonaId
from domain.outcomes import Outcome, Report
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import Claim, Clock, PersonaDirectory, PhotoLibrary, PostLedger, RunLog
from domain.posts import Post, PostStatus, why_it_waits
from domain.runs import Run, new_post
from domain.slots import Slot

if TYPE_CHECKING:
    from domain.post_driver import PostDriver

LATEST_START: Final = timedelta(hours=6)
"""A slot that starts later than this is skipped: after an outage the account must not be flooded."""

CAPTION_REFUSED: Final = "CaptionRefused"
"""The kind of fault on record of a post whose photo was never sent, since Instagram would refuse its caption."""

NOTHING_TO_POST: Final = "No unposted photos available to schedule."


class UnknownPersonaError(Exception):
    """The event names a persona that nobody has added."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an event asks for. A dry run writes nothing and calls nobody."""

    persona_id: PersonaId
    slot: Slot
    dry_run: bool = False


class PostNextBest:
    def __init__(
        self,
        *,
        personas: PersonaDirectory,
        library: PhotoLibrary,
        ledger: PostLedger,
        driver: PostDriver,
        clock: Clock,
        log: RunLog,
    ) -> None:
        self._personas = personas
        self._library = library
        self._ledger = ledger
        self._driver = driver
        self._clock = clock
        self._log = log

    def __call__(self, request: Request, start_run: Callable[[], Run]) -> Report:
        """Serve one event; a repeated one finds its slot's post and reports it.

        ``start_run`` gives a fresh run: its id must never be used before. Raises UnknownPersonaError, and
        RecordsUnavailableError when the records cannot be reached; the event may be delivered again after both.
        """
        self._log.about(persona_id=request.persona_id, slot=str(request.slot))
        if not request.dry_run and self._clock.now() - request.slot.start > LATEST_START:
            reason = (
                "The event came more than 6 hours after its slot; nothing is posted. The next slot goes on as usual."
            )
            return self._without_photo(Outcome.TOO_LATE, request, reason)
        persona = self._personas.get(request.persona_id)
        if persona is None:
            raise UnknownPersonaError(
                f"persona_id: there is no persona {request.persona_id!r}; add it with `fluffy-train persona add`"
            )
        if request.dry_run:
            return self._rehearse(request, persona)
        if persona.paused_reason is not None:
            return self._paused(request, persona.paused_reason)
        return self._claim_and_drive(request, persona, start_run())

    def _claim_and_drive(self, request: Request, persona: Persona, run: Run) -> Report:
        refused: list[Report] = []
        report = self._claim_best(request, persona, run, refused, request.slot)
        if report is None:
            report = refused.pop() if refused else self._find_out(request, persona, run, refused, may_go_on=False)
        return replace(report, earlier=(*refused, *report.earlier))

    def _claim_best(
        self, request: Request, persona: Persona, run: Run, refused: list[Report], slot: Slot
    ) -> Report | None:
        """Drive the first candidate whose claim is won; None where there is none.

        ``refused`` collects those whose own caption is at fault.
        """
        for photo in CuratorsChoice(persona).candidates(self._library.best_first(persona.persona_id)):
            post = new_post(run, persona, slot, photo, self._clock.now())
            problem = caption_problem(post.caption)
            if problem is not None and photo.caption is None:
                return self._refuse_for_all(request, persona, run, post, problem)
            if problem is not None:
                reason = f"Not sent: {problem}, and import the photo again with the shorter one."
                post = post.as_failed(FaultRecord(CAPTION_REFUSED, reason), post.updated_at)
            match self._ledger.claim(post):
                case Claim.PHOTO_TAKEN:
                    self._log.info("Lost this photo to another slot; trying the next.", lost_photo_id=photo.photo_id)
                    continue
                case Claim.SLOT_TAKEN:
                    return self._find_out(request, persona, run, refused)
                case Claim.PERSONA_PAUSED:
                    return self._paused(request, "The persona was paused while this run was starting.")
            if post.status is PostStatus.POSTING:
                return self._driver.drive(run, persona, post, photo)
            failed = Report.of(Outcome.FAILED, post, post.fault.message if post.fault else None)
            if post.slot.following is None:
                return failed
            slot = post.slot.following
            refused.append(failed)
        return None

    def _find_out(
        self, request: Request, persona: Persona, run: Run, refused: list[Report], *, may_go_on: bool = True
    ) -> Report:
        """What became of a slot that this run could not claim: done, under way, left over, or never begun."""
        post = self._ledger.latest(request.persona_id, request.slot.first)
        if post is None:
            self._log.warning(NOTHING_TO_POST)
            return self._without_photo(Outcome.NOTHING_TO_POST, request, NOTHING_TO_POST)
        self._log.about(slot=str(post.slot), photo_id=post.photo_id, post_status=post.status.value)
        if may_go_on and _ended_without_its_next(post) and post.slot.following is not None:
            # Its run may have been killed between two photos; where it was not, there is no candidate now either.
            report = self._claim_best(request, persona, run, refused, post.slot.following)
            if report is not None:
                return report
        if post.status is not PostStatus.POSTING:
            return Report.of(Outcome.ALREADY_DONE, post, _how_it_ended(post))
        taken = self._ledger.take_over(post.persona_id, post.slot, run.lease, self._clock.now())
        if taken is None:
            waits = why_it_waits(post) or f"Another run holds the lease until {post.lease.until}."
            return Report.of(Outcome.IN_PROGRESS, post, waits)
        self._log.warning("Taking over a post that an earlier run left open.")
        return self._driver.drive(run, persona, taken)

    def _rehearse(self, request: Request, persona: Persona) -> Report:
        ranked = list(islice(CuratorsChoice(persona).candidates(self._library.best_first(persona.persona_id)), 2))
        if not ranked:
            return self._without_photo(Outcome.DRY_RUN, request, NOTHING_TO_POST)
        reason = f"It would be posted: {_why(*ranked)}"
        problem = caption_problem(CuratorsChoice(persona).caption(ranked[0]))
        if problem is not None:
            reason = f"It would be refused: {problem}."
        elif persona.paused_reason is not None:
            reason = (
                f"Nothing would be posted while the persona is paused ({persona.paused_reason}). Else: {_why(*ranked)}"
            )
        return replace(self._without_photo(Outcome.DRY_RUN, request, reason), photo_id=ranked[0].photo_id)

    def _refuse_for_all(self, request: Request, persona: Persona, run: Run, post: Post, problem: str) -> Report:
        """The persona's own caption is at fault: no photo would pass, so none is touched."""
        reason = f"Not sent: {problem} in the persona (`fluffy-train persona set-caption`), then resume the persona."
        failed = post.as_failed(AccountFault(reason).record, post.updated_at)
        if not self._ledger.refuse(failed, pause=reason):
            return self._find_out(request, persona, run, [], may_go_on=False)
        return Report.of(Outcome.FAILED, failed, reason)

    def _paused(self, request: Request, reason: str) -> Report:
        self._log.warning("The persona is paused; nothing is posted.", reason=reason)
        mend = f"{reason} When it is mended: `fluffy-train persona resume {request.persona_id}`."
        return self._without_photo(Outcome.PAUSED, request, mend)

    def _without_photo(self, outcome: Outcome, request: Request, reason: str) -> Report:
        return Report(outcome, request.persona_id, request.slot, reason=reason)


def _why(best: Photo, runner_up: Photo | None = None) -> str:
    score = best.analysis.aesthetic_score if best.analysis else 0.0
    if runner_up is None or runner_up.analysis is None:
        return f"score {score:g}, the only photo in the queue."
    next_score = runner_up.analysis.aesthetic_score
    return f"score {score:g}, the highest in the queue; next is {runner_up.photo_id} with {next_score:g}."


def _ended_without_its_next(post: Post) -> bool:
    """Its photo was refused by us, in a write of its own: the slot's next claim was to follow."""
    return post.status is PostStatus.FAILED and post.fault is not None and post.fault.kind == CAPTION_REFUSED


def _how_it_ended(post: Post) -> str:
    ending = f"This slot is done: {post.status.value}"
    return f"{ending}. {post.fault.message}" if post.fault else f"{ending}."
