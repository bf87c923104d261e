"""What readers leave on a film, kept in the catalog by SOP Instance UID: figures, key
images, and how it is shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import (
    DisplayStateRecord,
    InstanceRecord,
    KeyViewRecord,
    MeasurementRecord,
    SignatureRecord,
)
from workstation.reading.display_state import (
    DisplayState,
    UnreadableDisplayState,
    dump_display_state,
    load_display_state,
)
from workstation.reading.film_history import FilmMarks
from workstation.reading.key_views import (
    KeyView,
    UnreadableKeyView,
    dump_key_views,
    load_key_views,
)
from workstation.reading.measurements import (
    Measurement,
    UnreadableMeasurement,
    dump_measurements,
    load_measurements,
)

_log = logging.getLogger(__name__)


class MeasurementStore:
    """Every method may raise CatalogUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, sop_instance_uid: str) -> tuple[Measurement, ...]:
        """Those of one film, in the order they were drawn; none for what can't be read."""
        query = select(MeasurementRecord.measurements).where(
            MeasurementRecord.sop_instance_uid == sop_instance_uid
        )
        with read_transaction(self._engine) as connection:
            stored = connection.execute(query).scalar_one_or_none()
        if stored is None:
            return ()
        try:
            return load_measurements(json.loads(stored))
        except (UnreadableMeasurement, json.JSONDecodeError) as error:
            _log.warning("measurements of %s: %s", sop_instance_uid, error)
            return ()

    def save(self, sop_instance_uid: str, measurements: tuple[Measurement, ...]) -> bool:
        """Put these in the place of what was kept. False for a film the catalog has not."""
        is_known = select(InstanceRecord.sop_instance_uid).where(
            InstanceRecord.sop_instance_uid == sop_instance_uid
        )
        with write_transaction(self._engine) as connection:
            if connection.execute(is_known).first() is None:
                return False
            kept = {"measurements": dump_measurements(measurements)} if measurements else None
            _put(connection, MeasurementRecord, sop_instance_uid, kept)
        return True

    def load_marks(self, sop_instance_uid: str) -> FilmMarks:
        """Figures and key images of one film."""
        return FilmMarks(self.load(sop_instance_uid), self.load_key_views(sop_instance_uid))

    def load_key_views(self, sop_instance_uid: str) -> tuple[KeyView, ...]:
        """In the order they were kept; none for what can't be read."""
        query = select(KeyViewRecord.views).where(
            KeyViewRecord.sop_instance_uid == sop_instance_uid
        )
        with read_transaction(self._engine) as connection:
            stored = connection.execute(query).scalar_one_or_none()
        if stored is None:
            return ()
        try:
            return load_key_views(json.loads(stored))
        except (UnreadableKeyView, json.JSONDecodeError) as error:
            _log.warning("key images of %s: %s", sop_instance_uid, error)
            return ()

    def save_key_views(self, sop_instance_uid: str, views: tuple[KeyView, ...]) -> bool:
        """Put these in the place of what was kept. False for a film the catalog has not, and for
        one of a signed report, as in `save_display`."""
        with write_transaction(self._engine) as connection:
            if not _can_change(connection, sop_instance_uid):
                return False
            kept = {"views": dump_key_views(views)} if views else None
            _put(connection, KeyViewRecord, sop_instance_uid, kept)
        return True

    def load_display(self, sop_instance_uid: str) -> DisplayState | None:
        """How the film was left; None where it is as it opens, or that can't be read."""
        query = select(DisplayStateRecord.state).where(
            DisplayStateRecord.sop_instance_uid == sop_instance_uid
        )
        with read_transaction(self._engine) as connection:
            stored = connection.execute(query).scalar_one_or_none()
        if stored is None:
            return None
        try:
            return load_display_state(json.loads(stored))
        except (UnreadableDisplayState, json.JSONDecodeError) as error:
            _log.warning("display state of %s: %s", sop_instance_uid, error)
            return None

    def save_display(self, sop_instance_uid: str, state: DisplayState | None) -> bool:
        """None: as it opens. False for a film the catalog has not, and for one of a signed report:
        its key images stay what they were when it was signed."""
        with write_transaction(self._engine) as connection:
            if not _can_change(connection, sop_instance_uid):
                return False
            kept = {"state": dump_display_state(state)} if state is not None else None
            _put(connection, DisplayStateRecord, sop_instance_uid, kept)
        return True


def _can_change(connection: Connection, sop_instance_uid: str) -> bool:
    """Whether the catalog has the film, and nobody signed a report of its study yet."""
    query = (
        select(InstanceRecord.sop_instance_uid, SignatureRecord.study_instance_uid)
        .outerjoin(
            SignatureRecord,
            SignatureRecord.study_instance_uid == InstanceRecord.study_instance_uid,
        )
        .where(InstanceRecord.sop_instance_uid == sop_instance_uid)
    )
    found = connection.execute(query).first()
    return found is not None and found[1] is None


def _put(
    connection: Connection,
    record: type[MeasurementRecord] | type[DisplayStateRecord] | type[KeyViewRecord],
    sop_instance_uid: str,
    kept: Mapping[str, object] | None,
) -> None:
    """What is kept of a film, as JSON in the place of what was; None: nothing any more."""
    if kept is None:
        connection.execute(delete(record).where(record.sop_instance_uid == sop_instance_uid))
        return
    row = {name: json.dumps(value, ensure_ascii=False) for name, value in kept.items()}
    row["updated_at"] = datetime.now(UTC).isoformat()
    connection.execute(
        insert(record)
        .values(sop_instance_uid=sop_instance_uid, **row)
        .on_conflict_do_update(index_elements=["sop_instance_uid"], set_=row)
    )
