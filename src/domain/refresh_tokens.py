"""The use case that keeps every persona's token alive: one look at each of them a day.

 read ─▶ refresh ─▶ STORE ─▶ verify ─▶ record        a crash at any arrow leaves a token in the store that is valid:
                    over the               │         before STORE the one before, from then on the new one
                    one before             └─ expiry, on the persona

Why the order: Instagram leaves the old token valid when it gives a new one, so whichever stands in the store can be
used and refreshed. The new one is stored before anything else is asked of it, since only Instagram's answer had it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.faults import Fault, TokenFault
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.ports import Clock, PersonaDirectory, RecordsUnavailableError, RunLog
from domain.secret import Secret
from domain.token_ports import Accounts, TokenStore, TokenStoreUnavailableError
from domain.tokens import LONGEST_LIFE, YOUNGEST_REFRESH, FreshToken, StoredToken, days_left, how_to_mend

WITHIN: Final = timedelta(seconds=10)
"""Each of Instagram's answers. They take a fraction of a second."""

TIME_FOR_ONE: Final = timedelta(seconds=90)
"""No persona is begun with less: three calls to Instagram, and the store's and the records' own retries."""

STORE_TRIES: Final = 3
"""What Instagram gave is nowhere else, so one outage of the store shall not lose it."""
_FIRST_STORE_WAIT: Final = timedelta(seconds=2)


class TokenOutcome(StrEnum):
    REFRESHED = "refreshed"
    YOUNG = "young"
    """Younger than 24 hours: nothing was asked."""
    UNMANAGED = "unmanaged"
    """Facebook Login without the app's id and secret: valid, and not ours to exchange."""
    REPLACED = "replaced"
    """Somebody set another token meanwhile. Theirs stands; the next run sees to it."""
    FAILED = "failed"
    """Not refreshed this time. The token that stands there is still used."""
    DEAD = "dead"
    """The token is refused for good, or there is none. The persona is paused."""


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What became of one persona's token. ``expires_at`` is None where nobody knows it."""

    persona_id: PersonaId
    outcome: TokenOutcome
    expires_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRun:
    """What a run did. ``left_for_later`` counts the personas that its time did not reach.

    ``fewest_days`` is the least number of whole days that any persona's token has left; None where none is known.
    ``unrecorded`` counts the personas whose records could not be read or written.
    """

    reports: tuple[TokenReport, ...]
    fewest_days: int | None
    left_for_later: int = 0
    unrecorded: int = 0


class RefreshTokens:
    """Refreshes what can be refreshed, whichever expires first, first; paused personas too, and the dead at last."""

    def __init__(
        self, *, personas: PersonaDirectory, tokens: TokenStore, accounts: Accounts, clock: Clock, log: RunLog
    ) -> None:
        self._personas = personas
        self._tokens = tokens
        self._accounts = accounts
        self._clock = clock
        self._log = log

    def __call__(self, ends_at: datetime) -> TokenRun:
        """See to every persona once, until ``ends_at``. One that goes wrong does not keep the others from their turn.

        Raises RecordsUnavailableError only when the personas cannot be listed at all.
        """
        now = self._clock.now()
        waiting = sorted(self._personas.all(), key=lambda persona: _most_urgent(persona, now))
        reports: list[TokenReport] = []
        unrecorded = 0
        while waiting and ends_at - self._clock.now() >= TIME_FOR_ONE:
            persona = waiting.pop(0)
            self._log.about(persona_id=persona.persona_id)
            try:
                reports.append(self._see_to(persona))
            except RecordsUnavailableError as error:
                unrecorded += 1
                expires_at = persona.token_expires_at
                reports.append(TokenReport(persona.persona_id, TokenOutcome.FAILED, expires_at, str(error)))
        if waiting:
            self._log.warning("The run's time is up; the next run goes on.", personas=len(waiting))
        expiries = [*(report.expires_at for report in reports), *(persona.token_expires_at for persona in waiting)]
        soonest = min((expires_at for expires_at in expiries if expires_at is not None), default=None)
        fewest_days = None if soonest is None else days_left(soonest, self._clock.now())
        return TokenRun(tuple(reports), fewest_days, len(waiting), unrecorded)

    def _see_to(self, persona: Persona) -> TokenReport:
        try:
            stored = self._tokens.read(persona)
        except TokenFault as fault:
            return self._dead(persona, fault)
        except TokenStoreUnavailableError as error:
            return self._failed(persona, None, str(error))
        if self._clock.now() - stored.stored_at < YOUNGEST_REFRESH:
            return self._report(persona, TokenOutcome.YOUNG, stored)
        if persona.login is Login.FACEBOOK and not stored.credentials.can_be_exchanged:
            return self._look_at(persona, stored)
        try:
            fresh = self._ask_for_another(persona, stored)
        except TokenFault as fault:
            # Said once of the refresh alone. The token is dead only if nothing else is let through with it either.
            return self._look_at(persona, stored, unless_dead=fault)
        except Fault as fault:
            return self._failed(persona, stored, fault.message)
        return self._change_over(persona, stored, fresh)

    def _ask_for_another(self, persona: Persona, stored: StoredToken) -> FreshToken:
        ask = self._accounts.exchange if persona.login is Login.FACEBOOK else self._accounts.refresh
        return ask(stored.credentials, within=WITHIN)

    def _change_over(self, persona: Persona, stored: StoredToken, fresh: FreshToken) -> TokenReport:
        given_at = self._clock.now()
        try:
            standing = self._store(persona, stored, fresh.token)
        except TokenStoreUnavailableError as error:
            return self._failed(persona, stored, f"{error} The token that Instagram gave may be lost.")
        if standing is None:
            return self._report(persona, TokenOutcome.REPLACED, reason="Somebody set another token meanwhile.")
        doubt = None
        try:
            self._verify(persona, standing)
        except TokenFault as fault:
            return self._put_back(persona, stored, standing, fault)
        except Fault as fault:
            # It is Instagram's own, and nothing is said against it.
            doubt = f"The new token is stored, but could not be verified now: {fault.message}"
            self._log.warning("A new token could not be verified.", reason=fault.message)
        expires_at = None if fresh.lasts is None else given_at + fresh.lasts
        if not self._personas.note_token(persona, refreshed_at=given_at, expires_at=expires_at):
            return self._report(persona, TokenOutcome.REPLACED, reason="Somebody changed the persona meanwhile.")
        return TokenReport(persona.persona_id, TokenOutcome.REFRESHED, expires_at, doubt)

    def _store(self, persona: Persona, before: StoredToken, token: Secret) -> StoredToken | None:
        """Write ``token`` over ``before``. Instagram may answer a refresh with the same one, which stands there."""
        if token == before.credentials.access_token:
            return before
        wait = _FIRST_STORE_WAIT
        for _ in range(STORE_TRIES - 1):
            try:
                return self._tokens.replace(persona.persona_id, before, token)
            except TokenStoreUnavailableError as error:
                self._log.warning("A token could not be stored; trying again.", reason=str(error))
            self._clock.sleep(wait)
            wait *= 2
        return self._tokens.replace(persona.persona_id, before, token)

    def _put_back(
        self, persona: Persona, before: StoredToken, standing: StoredToken, refusal: TokenFault
    ) -> TokenReport:
        """The new token is refused: the one before it, from which it came a moment ago, is the better one."""
        reason = f"Instagram gave a token that it does not take: {refusal.message}"
        try:
            restored = self._store(persona, standing, before.credentials.access_token)
        except TokenStoreUnavailableError as error:
            return self._failed(persona, before, f"{reason} And the one before could not be put back: {error}")
        if restored is None:
            return self._report(persona, TokenOutcome.REPLACED, reason="Somebody set another token meanwhile.")
        return self._failed(persona, before, f"{reason} The one before is back.")

    def _look_at(self, persona: Persona, stored: StoredToken, *, unless_dead: TokenFault | None = None) -> TokenReport:
        """Ask whether a token is valid that cannot be refreshed, or was refused a refresh (``unless_dead``)."""
        try:
            self._verify(persona, stored)
        except TokenFault as fault:
            return self._dead(persona, fault, stored)
        except Fault as fault:
            return self._failed(persona, stored, fault.message)
        if unless_dead is not None:
            return self._failed(persona, stored, f"The refresh alone was refused: {unless_dead.message}")
        return self._report(persona, TokenOutcome.UNMANAGED, stored)

    def _verify(self, persona: Persona, stored: StoredToken) -> None:
        self._accounts.account(persona.login, stored.credentials, persona.instagram_user_id, within=WITHIN)

    def _dead(self, persona: Persona, fault: TokenFault, stored: StoredToken | None = None) -> TokenReport:
        """Pause the persona, as posting would with this token; but not for a token that nobody uses any more."""
        if stored is not None and self._replaced_since(persona, stored):
            return self._report(persona, TokenOutcome.REPLACED, reason="Somebody set another token meanwhile.")
        reason = f"{fault.message} {how_to_mend(persona.persona_id)}"
        now = self._clock.now()
        dead_since = min(now, persona.token_expires_at or now)
        if not self._personas.pause_for_token(persona, reason, dead_since=dead_since):
            return self._report(persona, TokenOutcome.REPLACED, reason="Somebody changed the persona meanwhile.")
        return TokenReport(persona.persona_id, TokenOutcome.DEAD, dead_since, reason)

    def _replaced_since(self, persona: Persona, stored: StoredToken) -> bool:
        try:
            return self._tokens.read(persona).version != stored.version
        except (TokenFault, TokenStoreUnavailableError):
            return False

    def _failed(self, persona: Persona, stored: StoredToken | None, reason: str) -> TokenReport:
        return self._report(persona, TokenOutcome.FAILED, stored, reason)

    def _report(
        self, persona: Persona, outcome: TokenOutcome, stored: StoredToken | None = None, reason: str | None = None
    ) -> TokenReport:
        """The persona's token as it was before this run, with its expiry as far as that is known."""
        expires_at = None if outcome is TokenOutcome.REPLACED else persona.token_expires_at
        if expires_at is None and stored is not None and persona.login is Login.INSTAGRAM:
            # At the latest: it was issued before it was stored.
            expires_at = stored.stored_at + LONGEST_LIFE
        return TokenReport(persona.persona_id, outcome, expires_at, reason)


def _most_urgent(persona: Persona, now: datetime) -> tuple[int, float, PersonaId]:
    """Whichever expires first; before them those of Instagram Login that were never refreshed, after them those of
    Facebook Login of which nobody knows. At the end the dead, which wait for their owners and for nothing else:
    were they the first, some hundreds of them would take every run's time, and the living would die as well.
    """
    if persona.token_expires_at is not None:
        tier = 1 if persona.token_expires_at > now else 3
        return tier, persona.token_expires_at.timestamp(), persona.persona_id
    return 0 if persona.login is Login.INSTAGRAM else 2, 0.0, persona.persona_id
