"""Accounts on a real catalog for the windows around them; hashed cheaply."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.audit.audit_log import AuditLog

SECRET = "correct horse 7"
PIN = "285714"


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    return AuditLog(catalog_engine)


@pytest.fixture
def accounts(catalog_engine: Engine, audit: AuditLog) -> AccountStore:
    cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return AccountStore(catalog_engine, audit, cheap)


@pytest.fixture
def admin(accounts: AccountStore) -> Account:
    return accounts.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
