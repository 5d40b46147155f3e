"""The driver: moves a post forward from wherever its record stands, whoever calls it.

The first run of a slot, a repeated delivery and the reconciler all end here, so that there is one protocol and one
place where it can be wrong: container, fence, publish, record. Only ``_publish`` sends, and only past the fence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from domain import media_match
from domain.captions import caption_problem
from domain.curators_choice import CuratorsChoice
from domain.faults import (
    AccountFault,
    Defer,
    Fault,
    FaultRecord,
    ImageNotFetched,
    PhotoFault,
    QuotaUsed,
    Retry,
    Unresolved,
)
from domain.ids import ContainerId
from domain.outcomes import Outcome, Report
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import (
    Clock,
    ContainerStatus,
    PhotoLibrary,
    PostLedger,
    Publisher,
    Renditions,
    RunLog,
    Settlement,
)
from domain.posts import CONTAINER_LIFE, DEFERRED, Evidence, Post, PostStatus
from domain.quota import LOOK_AGAIN_AFTER, QuotaKeeper
from domain.runs import Run, new_post
from domain.slots import Slot

CALL_LIMIT: Final = timedelta(seconds=30)
PUBLISH_LIMIT: Final = timedelta(seconds=60)
PUBLISH_RESERVE: Final = timedelta(seconds=15)
"""Nothing is sent with less time left than this: a run cut off there leaves a post that nobody can vouch for."""
SHORTEST_PUBLISH: Final = timedelta(seconds=5)
RECORD_RESERVE: Final = timedelta(seconds=5)
"""Kept back from every call, to write down what became of it."""

SPENT_CONTAINERS_REST: Final = timedelta(minutes=30)
"""How long a post waits whose containers all came to nothing: an account may make 400 a day, a try takes four."""
MOST_DEADLINES_MISSED: Final = 3
"""A photo that was not posted by this many deadlines is set aside, so that the others have their turn."""
DEADLINE_MISSED: Final = "DeadlineMissed"
"""The kind of fault on record of a post that came to nothing by its deadline."""
PERSONA_REMOVED: Final = "PersonaRemoved"
"""The kind of fault on record of a post that was under way, and not sent, when its persona was removed."""
MISSED_WHILE_PAUSED: Final = "DeadlineMissedWhilePaused"
MISSES_COUNT_FOR: Final = timedelta(days=30)

LONGEST_UNREAD: Final = 2 * CONTAINER_LIFE
"""After this, the media id of a live post is looked for no more, though the account's media could not be read."""

MOST_RETRIES: Final = 3
FIRST_RETRY_AFTER: Final = timedelta(seconds=2)
FIRST_POLL_AFTER: Final = timedelta(seconds=1)
LONGEST_POLL_GAP: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class _GoesOn:
    """The slot goes on with its next photo, claimed in the transaction that failed the one before."""

    failed: Report
    post: Post
    photo: Photo


class PostDriver:
    def __init__(
        self,
        *,
        ledger: PostLedger,
        library: PhotoLibrary,
        publisher: Publisher,
        renditions: Renditions,
        quota: QuotaKeeper,
        clock: Clock,
        log: RunLog,
    ) -> None:
        self._quota = quota
        self._ledger = ledger
        self._library = library
        self._publisher = publisher
        self._renditions = renditions
        self._clock = clock
        self._log = log

    def drive(self, run: Run, persona: Persona, post: Post, photo: Photo | None = None) -> Report:
        """Move ``post`` on until it ends or must wait for a later run. The caller holds its lease as ``run``.

        ``photo`` saves a read where the caller has it. Raises RecordsUnavailableError, after which the record tells a
        later run where to go on; no fault of Instagram's, of the photo's or of the account's is raised.
        """
        # Of a post that an earlier run left, its slot's refused photos may never have been told of.
        earlier = self._refused_before(post) if photo is None else ()
        while True:
            self._log.about(slot=str(post.slot), photo_id=post.photo_id, post_status=post.status.value)
            step = self._step(run, persona, post, photo)
            if isinstance(step, Report):
                return replace(step, earlier=earlier)
            earlier += (step.failed,)
            post, photo = step.post, step.photo

    def identify(self, run: Run, persona: Persona, post: Post) -> bool:
        """Look once more for the media id of a ``posted`` post that lacks it; whether anything was written.

        Where it has not been found a day after the post was sent, what was seen is recorded instead.
        """
        match = self._match_media(run, persona, post)
        now = self._clock.now()
        if match.unique is not None:
            return self._ledger.complete(post.as_identified(match.unique.media_id, match.unique.permalink, now))
        sent_at = post.publish_sent_at or post.updated_at
        if now < sent_at + (CONTAINER_LIFE if match.was_read else LONGEST_UNREAD):
            return False
        evidence = Evidence(ContainerStatus.PUBLISHED.value, match.media_ids)
        return self._ledger.complete(post.as_unidentified(evidence, now))

    # ---- posts whose persona is removed: nothing is sent any more, and they end all the same ----

    def end_before_sending(self, post: Post) -> bool:
        """End a post of which no publish request was ever made; whether it is ended, its photo back in the queue.

        For one whose persona is being removed, and paused before that. The caller holds the post's lease.
        """
        if post.publish_attempts or post.is_fenced:
            return False
        fault = FaultRecord(PERSONA_REMOVED, "The persona was being removed before the post was sent.")
        failed = post.as_failed(fault, self._clock.now())
        return self._fail_and_requeue(post, failed, fault.message).outcome is Outcome.FAILED

    def is_over_without_persona(self, post: Post) -> bool:
        """Whether the time has come at which a post ends of which nobody can ask Instagram any more."""
        now = self._clock.now()
        if post.status is PostStatus.POSTED:
            return now >= (post.publish_sent_at or post.updated_at) + LONGEST_UNREAD
        if post.publish_sent_at is not None:
            return now >= post.publish_sent_at + CONTAINER_LIFE
        return now >= post.deadline

    def give_up_identifying(self, post: Post) -> bool:
        """Look no more for the media id of a ``posted`` post; whether anything was written."""
        evidence = Evidence(ContainerStatus.PUBLISHED.value)
        return self._ledger.complete(post.as_unidentified(evidence, self._clock.now()))

    def end_without_persona(self, post: Post) -> Report:
        """End a post for which ``is_over_without_persona``. The caller holds its lease."""
        if not post.is_fenced:
            return self._miss_deadline(post)
        gone = FaultRecord(Unresolved.__name__, "The persona was removed while nobody knew what became of the post.")
        unconfirmed = post.as_unconfirmed(gone, Evidence("nothing, since the persona was removed"), self._clock.now())
        return self._record(post, unconfirmed, Outcome.UNCONFIRMED, f"{gone.message} It may be live: look.")

    def _refused_before(self, post: Post) -> tuple[Report, ...]:
        """The reports of the slot's photos that were refused before this one. Telling of them twice does no harm."""
        attempts = [Slot(post.slot.start, attempt) for attempt in range(1, post.slot.attempt)]
        found = [self._ledger.get(post.persona_id, slot) for slot in attempts]
        return tuple(
            Report.of(Outcome.FAILED, refused, refused.fault.message if refused.fault else None)
            for refused in found
            if refused is not None and refused.status is PostStatus.FAILED
        )

    def _step(self, run: Run, persona: Persona, post: Post, photo: Photo | None) -> Report | _GoesOn:
        if post.is_fenced:
            return self._resolve(run, persona, post)
        if self._clock.now() >= post.deadline:
            return self._miss_deadline(post, persona)
        if persona.paused_reason is not None:
            return self._defer(post, Defer(f"The persona is paused: {persona.paused_reason}"), post.container_id)
        return self._send(run, persona, post, photo)

    # ---- before the fence: nothing is published, everything may be repeated ----

    def _send(self, run: Run, persona: Persona, post: Post, photo: Photo | None) -> Report | _GoesOn:
        container_id = post.container_id
        retries = 0
        while True:
            try:
                if container_id is None:
                    container_id = self._create_container(run, persona, post, photo)
                status = self._wait_until_finished(run, persona, container_id, fresh=container_id != post.container_id)
                if status is ContainerStatus.PUBLISHED:
                    return self._record_live(run, persona, replace(post, container_id=container_id), before=post)
                if self._quota.might_be_used_up(persona):
                    self._quota.refuse_if_used_up(persona, within=self._time_for_call(run, PUBLISH_RESERVE))
                self._refuse_unless_time_to_publish(run)
                now = self._clock.now()
                if now >= post.deadline:
                    return self._miss_deadline(post, persona)
            except Retry as fault:
                retries += 1
                container_id = None if fault.new_container else container_id
                if not self._pause_before_retry(run, fault, retries):
                    return self._end_of_retries(run, persona, post, photo, fault, container_id)
                continue
            except Defer as fault:
                return self._defer(post, fault, None if fault.new_container else container_id)
            except PhotoFault as fault:
                return self._fail_photo(run, persona, post, fault)
            except AccountFault as fault:
                return self._fail_account(post, fault)

            fenced = post.as_fenced(container_id, now)
            if not self._ledger.advance(post, fenced):
                return self._lease_lost(post)
            if self._time_left(run) < SHORTEST_PUBLISH + RECORD_RESERVE:
                return self._defer(fenced, Defer("The fence took too long to write; nothing was sent."), container_id)
            step = self._publish(run, persona, fenced, container_id, retries)
            if not isinstance(step, Post):
                return step
            post, retries = step, retries + 1

    def _create_container(self, run: Run, persona: Persona, post: Post, photo: Photo | None) -> ContainerId:
        photo = photo or self._library.get(post.persona_id, post.photo_id)
        if photo is None:
            raise PhotoFault(f"Photo {post.photo_id} is no longer in the library; import it again to post it.")
        container_id = self._publisher.create_container(
            persona,
            self._renditions.link(photo.object_key),
            post.caption,
            photo.alt_text,
            within=self._time_for_call(run, PUBLISH_RESERVE),
        )
        self._log.info("Container created.", container_id=container_id)
        return container_id

    def _wait_until_finished(
        self, run: Run, persona: Persona, container_id: ContainerId, *, fresh: bool
    ) -> ContainerStatus:
        """FINISHED or PUBLISHED. Raises Retry for a spent container and Defer when the run's time is up."""
        gap = FIRST_POLL_AFTER
        if fresh:
            self._clock.sleep(gap)
        while True:
            status = self._publisher.container_status(
                persona, container_id, within=self._time_for_call(run, PUBLISH_RESERVE)
            )
            if status is ContainerStatus.EXPIRED:
                raise Retry("The container expired before it was published.", new_container=True)
            if status is not ContainerStatus.IN_PROGRESS:
                return status
            gap = min(gap * 2, LONGEST_POLL_GAP)
            if self._time_left(run) < gap + PUBLISH_RESERVE + RECORD_RESERVE:
                raise Defer("Instagram is still preparing the photo; a later run goes on with the same container.")
            self._clock.sleep(gap)

    def _end_of_retries(
        self,
        run: Run,
        persona: Persona,
        post: Post,
        photo: Photo | None,
        fault: Retry,
        container_id: ContainerId | None,
    ) -> Report | _GoesOn:
        if isinstance(fault, ImageNotFetched):
            photo = photo or self._library.get(post.persona_id, post.photo_id)
            try:
                if photo is not None and not self._renditions.exists(photo.object_key):
                    missing = PhotoFault(f"The bucket has no file {photo.object_key}; import the photo again.")
                    return self._fail_photo(run, persona, post, missing)
            except Defer as unknown:
                return self._defer(post, unknown, container_id)
        if fault.new_container:
            rest = Defer(fault.message, code=fault.code, subcode=fault.subcode, after=SPENT_CONTAINERS_REST)
            return self._defer(post, rest, container_id)
        return self._defer(post, fault, container_id)

    # ---- past the fence: the request may have left, so nothing is ever sent again unless it provably did not ----

    def _publish(
        self, run: Run, persona: Persona, fenced: Post, container_id: ContainerId, retries: int
    ) -> Report | _GoesOn | Post:
        """Send the one request. A Post means: provably not sent, the fence is open again, try once more in this run."""
        try:
            media_id = self._publisher.publish(
                persona, container_id, within=min(PUBLISH_LIMIT, self._time_left(run) - RECORD_RESERVE)
            )
        except Retry as fault:
            if self._time_for_retry(run, fault, retries + 1) is None:
                return self._defer(fenced, fault, container_id)
            reopened = fenced.as_deferred(
                fault.record, self._clock.now(), look_again_at=fenced.lease.until, container_id=container_id
            )
            if not self._ledger.advance(fenced, reopened):
                return self._lease_lost(fenced)
            self._pause_before_retry(run, fault, retries + 1)
            return reopened
        except Defer as fault:
            return self._defer(fenced, fault, container_id)
        except PhotoFault as fault:
            return self._fail_photo(run, persona, fenced, fault)
        except AccountFault as fault:
            return self._fail_account(fenced, fault)
        except Unresolved as fault:
            return self._resolve(run, persona, fenced, fault)
        self._log.info("Published.", provider_post_id=media_id)
        return self._record(fenced, fenced.as_posted(media_id, self._clock.now()), Outcome.POSTED)

    def _resolve(self, run: Run, persona: Persona, post: Post, fault: Unresolved | None = None) -> Report:
        """Ask the container what became of a publish request. Nothing else decides, and nothing is sent."""
        seen = self._look_at_container(run, persona, post)
        pause = fault.message if fault is not None and fault.account_too else None
        if seen is ContainerStatus.PUBLISHED:
            return self._record_live(run, persona, post, before=post, pause=pause)
        now = self._clock.now()
        what_is_open = (
            fault.record
            if fault is not None
            else post.fault
            or FaultRecord(
                Unresolved.__name__, "The run that sent this post ended before it could record Instagram's answer."
            )
        )
        saw = seen.value if isinstance(seen, ContainerStatus) else seen
        if post.publish_sent_at is not None and now >= post.publish_sent_at + CONTAINER_LIFE:
            evidence = Evidence(saw, self._match_media(run, persona, post).media_ids)
            unconfirmed = post.as_unconfirmed(what_is_open, evidence, now)
            return self._record(post, unconfirmed, Outcome.UNCONFIRMED, f"{what_is_open.message} It may be live: look.")
        reason = f"{what_is_open.message} The container says {saw}; it is asked again by a later run."
        if fault is None:
            return Report.of(Outcome.UNRESOLVED, post, reason)
        return self._record(post, post.as_unresolved(what_is_open, now), Outcome.UNRESOLVED, reason, pause=pause)

    def _look_at_container(self, run: Run, persona: Persona, post: Post) -> ContainerStatus | str:
        """The container's status, or in words why it could not be read."""
        if post.container_id is None:
            return "nothing, since its id is not on record"
        try:
            within = self._time_for_call(run, timedelta(0))
            return self._publisher.container_status(persona, post.container_id, within=within)
        except Fault as fault:
            return f"nothing that can be read ({fault.message})"

    def _record_live(self, run: Run, persona: Persona, post: Post, *, before: Post, pause: str | None = None) -> Report:
        """The container is PUBLISHED. Its media id is looked for, and left for a later run when it is not found."""
        media = self._match_media(run, persona, post).unique
        now = self._clock.now()
        posted = post.as_posted(media.media_id, now, media.permalink) if media else post.as_posted(None, now)
        reason = "Instagram's answer was lost, and the container says that the post is live."
        return self._record(before, posted, Outcome.POSTED, reason, pause=pause)

    def _match_media(self, run: Run, persona: Persona, post: Post) -> media_match.Match:
        try:
            recent = self._publisher.recent_media(persona, within=self._time_for_call(run, timedelta(0)))
        except Fault as fault:
            self._log.warning("The account's recent media cannot be read.", reason=fault.message)
            return media_match.Match((), was_read=False)
        # A post is sent within a day of its slot, so the oldest media that could match belongs to a slot after this.
        since = post.created_at - media_match.BEFORE_CREATION - CONTAINER_LIFE
        return media_match.match(post, recent, self._ledger.posts_since(post.persona_id, since))

    # ---- ends, each one conditional write ----

    def _record(
        self, before: Post, after: Post, outcome: Outcome, reason: str | None = None, pause: str | None = None
    ) -> Report:
        if pause is None:
            written = self._ledger.advance(before, after)
        else:
            written = self._ledger.settle(before, after, pause=pause) is Settlement.DONE
        if not written:
            return self._lease_lost(after, given_up=after.lease != before.lease)
        self._log.about(post_status=after.status.value)
        return Report.of(outcome, after, reason)

    def _defer(self, post: Post, fault: Retry | Defer, container_id: ContainerId | None) -> Report:
        after = fault.after if isinstance(fault, Defer) else timedelta(0)
        if isinstance(fault, QuotaUsed) and not after:
            # Past the fence a refusal must be on record before anything else is asked.
            after = LOOK_AGAIN_AFTER if post.is_fenced else self._quota.looks_again_in(post.persona_id)
        now = self._clock.now()
        look_again_at = now + after
        record = replace(fault.record, kind=DEFERRED)
        deferred = post.as_deferred(record, now, min(look_again_at, max(now, post.deadline)), container_id)
        report = self._record(post, deferred, Outcome.DEFERRED, fault.message)
        if isinstance(fault, QuotaUsed):
            self._quota.note_used_up(post.persona_id)
        return report

    def _fail_photo(self, run: Run, persona: Persona, post: Post, fault: PhotoFault) -> Report | _GoesOn:
        failed = post.as_failed(fault.record, self._clock.now())
        # Who asked for one photo once more did not ask for another.
        going_on = None if post.retry_of is not None else post.slot.following
        for photo, following in self._next_posts(run, persona, going_on):
            settlement = self._ledger.settle(post, failed, goes_on_with=following)
            if settlement is Settlement.DONE:
                self._log.error("The photo was refused; the slot goes on with the next best.", reason=fault.message)
                return _GoesOn(Report.of(Outcome.FAILED, failed, fault.message), following, photo)
            if settlement is Settlement.LEASE_LOST:
                return self._lease_lost(post)
            if settlement is Settlement.NEXT_SLOT_CLOSED:
                break
        return self._record(post, failed, Outcome.FAILED, fault.message)

    def _next_posts(self, run: Run, persona: Persona, slot: Slot | None) -> Iterator[tuple[Photo, Post]]:
        if slot is None:
            return
        choice = CuratorsChoice(persona)
        for photo in choice.candidates(self._library.best_first(persona.persona_id)):
            following = new_post(run, persona, slot, photo, self._clock.now())
            problem = caption_problem(following.caption)
            if problem is None:
                yield photo, following
            elif photo.caption is None:
                return  # It is the persona's: none would pass.
            else:
                self._log.warning("A photo is passed over.", passed_over=photo.photo_id, reason=problem)

    def _fail_account(self, post: Post, fault: AccountFault) -> Report:
        failed = post.as_failed(fault.record, self._clock.now())
        return self._fail_and_requeue(post, failed, fault.message, pause=fault.message)

    def _miss_deadline(self, post: Post, persona: Persona | None = None) -> Report:
        is_paused = persona is not None and persona.paused_reason is not None
        last = f" Last: {post.fault.message}" if post.fault else ""
        # A pause is no fault of the photo's, and burns none.
        is_set_aside = not is_paused and self._deadlines_missed(post) + 1 >= MOST_DEADLINES_MISSED
        where = (
            f"it happened {MOST_DEADLINES_MISSED} times to this photo, so it stays out of the queue"
            if is_set_aside
            else "the photo is back in the queue"
        )
        reason = f"Not posted within 23 hours of its slot; {where}.{last}"
        code, subcode = (post.fault.code, post.fault.subcode) if post.fault else (None, None)
        kind = MISSED_WHILE_PAUSED if is_paused else DEADLINE_MISSED
        failed = post.as_failed(FaultRecord(kind, reason, code, subcode), self._clock.now())
        if is_set_aside:
            return self._record(post, failed, Outcome.FAILED, reason)
        return self._fail_and_requeue(post, failed, reason)

    def _deadlines_missed(self, post: Post) -> int:
        """How many earlier posts of this photo came to nothing by their deadline."""
        recent = self._ledger.posts_since(post.persona_id, post.slot.start - MISSES_COUNT_FOR)
        return sum(
            earlier.photo_id == post.photo_id and earlier.fault is not None and earlier.fault.kind == DEADLINE_MISSED
            for earlier in recent
        )

    def _fail_and_requeue(self, post: Post, failed: Post, reason: str, pause: str | None = None) -> Report:
        photo = self._library.get(post.persona_id, post.photo_id)
        settlement = self._ledger.settle(post, failed, requeue=photo, pause=pause)
        if settlement is not Settlement.DONE:
            return self._lease_lost(post)
        self._log.about(post_status=failed.status.value)
        return Report.of(Outcome.FAILED, failed, reason)

    def _lease_lost(self, post: Post, *, given_up: bool = False) -> Report:
        """``given_up``: the write that was refused would have ended the lease.

        Its first try may have done so, its answer lost, and the next run may have gone on before this one looked.
        """
        if given_up:
            self._log.warning("Another run has gone on with this post, as this one was giving its lease up.")
        else:
            self._log.warning("The lease is lost: another run has taken this post over.")
        unknown = replace(post, provider_post_id=None)
        return Report.of(Outcome.IN_PROGRESS, unknown, "Another run has taken this post over.")

    # ---- time ----

    def _time_left(self, run: Run) -> timedelta:
        return (run.works_until or run.ends_at) - self._clock.now()

    def _time_for_call(self, run: Run, reserve: timedelta) -> timedelta:
        """How long the next call may take. Raises Defer when too little is left to make it and write down its end."""
        time = min(CALL_LIMIT, self._time_left(run) - reserve - RECORD_RESERVE)
        if time < timedelta(seconds=1):
            raise Defer("The run's time is up; a later run goes on.")
        return time

    def _refuse_unless_time_to_publish(self, run: Run) -> None:
        if self._time_left(run) < PUBLISH_RESERVE:
            raise Defer("The run's time is too short to publish safely; a later run goes on.")

    def _time_for_retry(self, run: Run, fault: Retry, retries: int) -> timedelta | None:
        """How long to wait before the ``retries``-th retry, or None when this run must not try again."""
        pause = fault.after or FIRST_RETRY_AFTER * 2 ** (retries - 1)
        enough = self._time_left(run) >= pause + PUBLISH_RESERVE + RECORD_RESERVE
        return pause if retries <= MOST_RETRIES and enough else None

    def _pause_before_retry(self, run: Run, fault: Retry, retries: int) -> bool:
        pause = self._time_for_retry(run, fault, retries)
        if pause is None:
            return False
        self._log.warning("Trying again.", reason=fault.message, retry=retries, after_seconds=pause.total_seconds())
        self._clock.sleep(pause)
        return True
