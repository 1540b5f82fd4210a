"""What each request does to the directory: checked against the store, then handed to ``submit`` as one event.

Rules of this file: the same code runs inside a server and in a command without one; only ``submit`` differs. Nothing
is written but by ``submit``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from callhub.domain.decision import Answer
from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import Actor, ActorKind, Role
from callhub.domain.policy import Policy
from callhub.errors import CallhubError, ConfigError, Conflict, ImportRejected, InvalidMessage, NotFound, Refusal
from callhub.intake.cells import id_fault
from callhub.intake.csv_import import ImportPlan, plan_import
from callhub.intake.policy_files import read_policies
from callhub.intake.requests import (
    ImportRequest,
    PoliciesRequest,
    Reply,
    Request,
    RevokeRequest,
    TokenKind,
    TokenRequest,
    UserAddRequest,
    UserRemoveRequest,
)
from callhub.store.base import DirectoryChange, Store, Token, User

COMMAND = Actor(ActorKind.SYSTEM, "command")
"""Who changes the directory from a command line."""

BAD_INPUT, FAILURE = 2, 1
"""Exit statuses."""

SHOWN_MAX = 20
"""Updated records that a dry run names."""

Submit = Callable[[DirectoryUpdated], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory as requests change it.

    Args:
        store: Open; read only here.
        submit: Commits the event with its ``change`` and returns the answer once that is durable.
        now: Engine time.
        new_id: Makes time-ordered ids.
    """

    store: Store
    submit: Submit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def answer(self, request: Request) -> Reply:
        """Do what is asked; what is wrong with a request is a reply too, never a ``CallhubError``."""
        try:
            return Reply(ok=True, lines=await self._do(request))
        except CallhubError as wrong:
            return refusal(wrong)

    async def _do(self, request: Request) -> tuple[str, ...]:
        match request:
            case ImportRequest():
                return await self._import(request)
            case TokenRequest():
                return await self._add_token(request)
            case RevokeRequest():
                return await self._revoke(request)
            case UserAddRequest():
                return await self._add_user(request)
            case UserRemoveRequest():
                return await self._remove_user(request)
            case PoliciesRequest():
                return await self._apply_policies(request)

    def _event(self, what: str, change: DirectoryChange, counts: dict[str, int]) -> DirectoryUpdated:
        return DirectoryUpdated(id=self.new_id(), actor=COMMAND, what=what, counts=counts, change=change)

    async def _commit(self, event: DirectoryUpdated) -> None:
        answer = await self.submit(event)
        if answer.code is not None:
            raise Refusal(f"the server refused the change: {answer.code}", code=answer.code)

    async def _import(self, request: ImportRequest) -> tuple[str, ...]:
        plan = await plan_import(self.store, request.kind, request.file, request.data, request.crs)
        if not plan.is_empty and not request.dry_run:
            counts = {"added": plan.added, "updated": plan.updated, "follow": plan.follow}
            await self._commit(
                replace(
                    self._event(request.kind.value, plan.change, counts),
                    responders=plan.change.responders,
                    elders=plan.changed_elders,
                    moved_devices=plan.moved_devices,
                    supervised=plan.supervised,
                )
            )
        return _import_lines(plan, request.dry_run)

    async def _add_token(self, request: TokenRequest) -> tuple[str, ...]:
        _check_id("id", request.id)
        self._check_area(request.area)
        if request.kind is TokenKind.RESPONDER and self.store.person("responders", request.id) is None:
            raise NotFound("responder", f"{request.id}; import the responders first")
        role = request.role.value if request.role else None
        token = Token(request.digest, request.kind.value, request.id, role, request.area, self.now())
        await self._commit(self._event("token", DirectoryChange(tokens=(token,)), {"tokens": 1}))
        return ()

    async def _revoke(self, request: RevokeRequest) -> tuple[str, ...]:
        client = (request.kind.value, request.id)
        if not self.store.tokens_of(*client):
            raise NotFound("token", f"of {request.kind.value} {request.id}; look whether the kind and the ID are right")
        event = self._event("revoke", DirectoryChange(revoked=(client,)), {"revoked": 1})
        await self._commit(replace(event, revoked=(client,)))
        return (f"every token of {request.kind.value} {request.id} is revoked",)

    async def _add_user(self, request: UserAddRequest) -> tuple[str, ...]:
        _check_id("name", request.name)
        self._check_area(request.area)
        if self.store.user(request.name) is not None:
            raise Conflict(f"there is a user {request.name} already; remove that one first, or choose another name")
        user = User(request.name, request.role.value, request.area, request.password)
        # Whoever signed in while a user of this name was removed must not go on as the new one.
        left = (("session", request.name),) if self.store.tokens_of("session", request.name) else ()
        event = self._event("user", DirectoryChange(users=(user,), revoked=left), {"users": 1})
        await self._commit(replace(event, revoked=left))
        return (f"user {request.name} may sign in as {request.role.value}",)

    async def _remove_user(self, request: UserRemoveRequest) -> tuple[str, ...]:
        user = self.store.user(request.name)
        if user is None:
            raise NotFound("user", request.name)
        if Role(user.role) is Role.ADMIN and not self._has_admin_besides(user):
            raise Conflict(f"{user.name} is the last administrator; add another first: user add NAME --role admin")
        session = ("session", request.name)
        change = DirectoryChange(removed_users=(request.name,), revoked=(session,))
        event = self._event("user", change, {"removed_users": 1})
        await self._commit(replace(event, removed_users=(request.name,), revoked=(session,)))
        return (f"user {request.name} is removed",)

    async def _apply_policies(self, request: PoliciesRequest) -> tuple[str, ...]:
        policies = read_policies(request.tables)
        before = {policy.id: policy for policy in (await self.store.load()).policies}
        lines = _policy_lines(before, policies)
        if not lines:
            return ("nothing to change: these policies are in force already",)
        if not request.dry_run:
            event = self._event("policies", DirectoryChange(policies=policies), {"policies": len(policies)})
            await self._commit(replace(event, policies=policies))
        return lines if not request.dry_run else (*lines, "dry run: nothing was changed")

    def _has_admin_besides(self, user: User) -> bool:
        """Whether another administrator is left who may see as much as this one."""
        others = (other for other in self.store.users() if other.name != user.name and Role(other.role) is Role.ADMIN)
        return any(other.area in (None, user.area) for other in others)

    def _check_area(self, area: str | None) -> None:
        if area is not None and self.store.person("areas", area) is None:
            raise NotFound("area", f"{area}; import the areas first")


def refusal(wrong: CallhubError) -> Reply:
    """The reply to what went wrong: status 2 for what the caller can mend, 1 for the rest."""
    mendable = isinstance(wrong, Refusal | ConfigError | ImportRejected)
    return Reply(ok=False, message=wrong.message, status=BAD_INPUT if mendable else FAILURE)


def _check_id(field: str, text: str) -> None:
    if why := id_fault(text):
        raise InvalidMessage(field, why)


def _import_lines(plan: ImportPlan, dry_run: bool) -> tuple[str, ...]:
    kind = plan.kind.value
    if plan.is_empty:
        rows = "the one row is as it was" if plan.unchanged == 1 else f"all {plan.unchanged} rows are as they were"
        first = f"{kind}: nothing to change, {rows}"
    else:
        first = f"{kind}: {plan.added} added, {plan.updated} updated, {plan.unchanged} as they were"
    lines = [first]
    if plan.follow:
        who = "1 elder or responder follows" if plan.follow == 1 else f"{plan.follow} elders and responders follow"
        lines.append(f"{who} their changed areas")
    lines += plan.notices
    if dry_run:
        lines += _differing_lines(plan)
        lines.append("dry run: nothing was changed")
    return tuple(lines)


def _differing_lines(plan: ImportPlan) -> list[str]:
    """Which columns of which records would change; the first of many."""
    lines = [f"  {id}: {', '.join(columns)}" for id, columns in plan.differences[:SHOWN_MAX]]
    if len(plan.differences) > SHOWN_MAX:
        lines.append(f"  and {len(plan.differences) - SHOWN_MAX} more")
    return lines


def _policy_lines(before: Mapping[str, Policy], policies: tuple[Policy, ...]) -> tuple[str, ...]:
    lines = []
    for policy in policies:
        if policy.id not in before:
            lines.append(f"policy {policy.id}: new")
        elif policy != before[policy.id]:
            lines.append(f"policy {policy.id}: changed")
    after = {policy.id for policy in policies}
    lines += [f"policy {id}: no longer in force" for id in before if id not in after]
    return tuple(lines)
