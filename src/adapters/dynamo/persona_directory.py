"""The personas' table."""

from collections.abc import Sequence

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import Tables, persona_item, persona_of
from domain.ids import PersonaId
from domain.personas import Persona


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

    def pause(self, persona_id: PersonaId, reason: str) -> str | None:
        model = self._tables.personas
        is_not_paused = model.paused_reason.does_not_exist()
        while not self._update(persona_id, model.paused_reason.set(reason), is_not_paused):
            standing = self.get(persona_id)
            if standing is None:
                return None
            if standing.paused_reason is not None:
                return standing.paused_reason
        return reason

    def resume(self, persona_id: PersonaId, *, seen: str | None = None) -> bool:
        model = self._tables.personas
        is_as_seen = None if seen is None else model.paused_reason == seen
        return self._update(persona_id, model.paused_reason.remove(), is_as_seen)

    def set_caption(self, persona_id: PersonaId, caption: str | None) -> bool:
        attribute = self._tables.personas.caption
        return self._update(persona_id, attribute.remove() if caption is None else attribute.set(caption))

    def _update(self, persona_id: PersonaId, action: Action, also: Condition | None = None) -> bool:
        """False, and no change, where there is no such persona, or ``also`` does not hold."""
        model = self._tables.personas
        condition = model.persona_id.exists() if also is None else model.persona_id.exists() & also
        item = model(persona_id=persona_id)
        with records("change the persona"):
            try:
                retried_on_conflict(lambda: item.update([action], condition))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return False
        return True

    def all(self) -> Sequence[Persona]:
        with records("list the personas"):
            return sorted(map(persona_of, self._tables.personas.scan()), key=lambda persona: persona.persona_id)
