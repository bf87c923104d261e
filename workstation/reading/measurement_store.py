"""What readers leave on a film, kept in the catalog by SOP Instance UID: figures, and how it is
shown."""

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
    MeasurementRecord,
    SignatureRecord,
)
from workstation.reading.display_state import (
    DisplayState,
    UnreadableDisplayState,
    dump_display_state,
    load_display_state,
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
        known = (
            select(InstanceRecord.sop_instance_uid, SignatureRecord.study_instance_uid)
            .outerjoin(
                SignatureRecord,
                SignatureRecord.study_instance_uid == InstanceRecord.study_instance_uid,
            )
            .where(InstanceRecord.sop_instance_uid == sop_instance_uid)
        )
        with write_transaction(self._engine) as connection:
            found = connection.execute(known).first()
            if found is None or found[1] is not None:
                return False
            kept = {"state": dump_display_state(state)} if state is not None else None
            _put(connection, DisplayStateRecord, sop_instance_uid, kept)
        return True


def _put(
    connection: Connection,
    record: type[MeasurementRecord] | type[DisplayStateRecord],
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
