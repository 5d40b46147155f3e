"""The personas' table."""

from collections.abc import Sequence

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import Tables, persona_item, persona_of, quota_map
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

    def resume(self, persona_id: PersonaId) -> bool:
        return self._update(persona_id, self._tables.personas.paused_reason.remove())

    def set_caption(self, persona_id: PersonaId, caption: str | None) -> bool:
        attribute = self._tables.personas.caption
        return self._update(persona_id, attribute.remove() if caption is None else attribute.set(caption))

    def note_quota(self, persona_id: PersonaId, quota: Quota) -> None:
        self._update(persona_id, self._tables.personas.quota.set(quota_map(quota)))

    def set_fit(self, persona_id: PersonaId, fit: Fit) -> bool:
        return self._update(persona_id, self._tables.personas.fit.set(fit.value))

    def _update(self, persona_id: PersonaId, action: Action) -> bool:
        """False, and no change, where there is no such persona."""
        model = self._tables.personas
        item = model(persona_id=persona_id)
        with records("change the persona"):
            try:
                retried_on_conflict(lambda: item.update([action], model.persona_id.exists()))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return False
        return True

    def all(self) -> Sequence[Persona]:
        with records("list the personas"):
            return sorted(map(persona_of, self._tables.personas.scan()), key=lambda persona: persona.persona_id)
