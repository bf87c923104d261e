"""Accounts on a real catalog, hashed cheaply: at full cost a check takes a third of a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.audit.audit_log import AuditLog


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 12, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def audit(catalog_engine: Engine, clock: Clock) -> AuditLog:
    return AuditLog(catalog_engine, clock)


@pytest.fixture
def cheap_hasher() -> SecretHasher:
    return SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def store(
    catalog_engine: Engine, audit: AuditLog, clock: Clock, cheap_hasher: SecretHasher
) -> AccountStore:
    return AccountStore(catalog_engine, audit, cheap_hasher, clock)
