"""The personas' table."""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import Tables, persona_item, persona_of, quota_map
from domain import instants
from domain.ids import PersonaId
from domain.personas import Fit, Persona, Quota


class DynamoPersonaDirectory:
    """Implements ``domain.ports.PersonaDirectory``."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, persona_id: PersonaId) -> Persona | None:
        with records("read the persona"):
            try:
                return persona_of(self._tables.personas.get(persona_id, consistent_read=True))
            except DoesNotExist:
                return None

    def add(self, persona: Persona) -> bool:
        item = persona_item(self._tables, persona)
        with records("add the persona"):
            try:
                retried_on_conflict(lambda: item.save(self._tables.personas.persona_id.does_not_exist()))
            except PutError as error:
                if not condition_failed(error):
                    raise
                # Ours, if the reply to our own first try was lost: then what stands there is what we put.
                return self.get(persona.persona_id) == persona
        return True

    def resume(self, persona_id: PersonaId, *, seen: str | None = None) -> bool:
        model = self._tables.personas
        is_as_seen = None if seen is None else model.paused_reason == seen
        return self._update(persona_id, model.paused_reason.remove(), only=is_as_seen)

    def pause(self, persona_id: PersonaId, reason: str) -> str | None:
        model = self._tables.personas
        is_not_paused = model.paused_reason.does_not_exist()
        while not self._update(persona_id, model.paused_reason.set(reason), only=is_not_paused):
            standing = self.get(persona_id)
            if standing is None:
                return None
            if standing.paused_reason is not None:
                return standing.paused_reason
        return reason

    def remove(self, persona_id: PersonaId, *, paused_for: str) -> bool:
        model = self._tables.personas
        item = model(persona_id=persona_id)
        # The second half is our own first try, whose reply was lost.
        is_paused_or_gone = (model.paused_reason == paused_for) | model.persona_id.does_not_exist()
        with records("remove the persona"):
            try:
                retried_on_conflict(lambda: item.delete(is_paused_or_gone))
            except DeleteError as error:
                if not condition_failed(error):
                    raise
                return False
        return True

    def set_caption(self, persona_id: PersonaId, caption: str | None) -> bool:
        attribute = self._tables.personas.caption
        return self._update(persona_id, attribute.remove() if caption is None else attribute.set(caption))

    def note_quota(self, persona_id: PersonaId, quota: Quota) -> None:
        self._update(persona_id, self._tables.personas.quota.set(quota_map(quota)))

    def set_fit(self, persona_id: PersonaId, fit: Fit) -> bool:
        return self._update(persona_id, self._tables.personas.fit.set(fit.value))

    def note_token(self, before: Persona, *, refreshed_at: datetime, expires_at: datetime | None) -> bool:
        model = self._tables.personas
        refreshed = model.token_refreshed_at.set(refreshed_at)
        expires = model.token_expires_at
        expiry = expires.remove() if expires_at is None else expires.set(expires_at)
        if self._update(before.persona_id, refreshed, expiry, only=self._has_the_token_of(before)):
            return True
        # Ours, if the reply to our own first try was lost: then what stands there is what we wrote.
        standing = self.get(before.persona_id)
        noted = (instants.to_text(refreshed_at), expires_at and instants.to_text(expires_at))
        return standing is not None and noted == (
            standing.token_refreshed_at and instants.to_text(standing.token_refreshed_at),
            standing.token_expires_at and instants.to_text(standing.token_expires_at),
        )

    def pause_for_token(self, before: Persona, reason: str, *, dead_since: datetime) -> bool:
        model = self._tables.personas
        # The first reason stays.
        paused = model.paused_reason.set(model.paused_reason | reason)
        expired = model.token_expires_at.set(dead_since)
        return self._update(before.persona_id, paused, expired, only=self._has_the_token_of(before))

    def _has_the_token_of(self, before: Persona) -> Condition:
        """Nobody has replaced the token since ``before`` was read."""
        replaced = self._tables.personas.token_refreshed_at
        if before.token_refreshed_at is None:
            return replaced.does_not_exist()
        return replaced == before.token_refreshed_at

    def _update(self, persona_id: PersonaId, *actions: Action, only: Condition | None = None) -> bool:
        """False, and no change, where there is no such persona, or where the condition does not hold."""
        model = self._tables.personas
        item = model(persona_id=persona_id)
        condition = model.persona_id.exists() if only is None else model.persona_id.exists() & only
        with records("change the persona"):
            try:
                retried_on_conflict(lambda: item.update(list(actions), condition))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return False
        return True

    def all(self) -> Sequence[Persona]:
        with records("list the personas"):
            return sorted(map(persona_of, self._tables.personas.scan()), key=lambda persona: persona.persona_id)
