"""Takes the guards of the protocol out, one by one, and shows which test misses them.

Each is taken out of a copy of the tree by an exact replacement, which must be found once: a guard that was rewritten
has to be rewritten here too. A test that fails without the guard must pass with it, or it caught nothing.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from local import dynamodb_local

ROOT: Final = Path(__file__).resolve().parent.parent
ALL_TESTS: Final = ("tests/unit", "tests/contract", "tests/faults")
SLOWEST: Final = ("tests/faults/test_soak.py", "tests/faults/test_no_leaks.py")
"""These prove the whole rather than a guard, and would take minutes for each."""

_PASSED: Final = 0
_NO_TESTS: Final = 5

LEDGER: Final = "src/adapters/dynamo/post_ledger.py"
DRIVER: Final = "src/domain/post_driver.py"
RUNS: Final = "src/domain/runs.py"
POSTS: Final = "src/domain/posts.py"
RECONCILE: Final = "src/domain/reconcile.py"
REMOVE: Final = "src/domain/remove_persona.py"
RESOLVE: Final = "src/domain/resolve_post.py"
DIRECTORY: Final = "src/adapters/dynamo/persona_directory.py"
POST_NEXT_BEST: Final = "src/domain/post_next_best.py"
WIRING: Final = "src/handlers/wiring.py"
HANDLER: Final = "src/handlers/reconcile.py"
GRAPH: Final = "src/adapters/meta/graph.py"
PUBLISHER: Final = "src/adapters/meta/publisher.py"

CLAIM: Final = ("tests/contract/test_claim.py",)
MOVES: Final = ("tests/contract/test_moves.py",)
SETTLEMENTS: Final = ("tests/contract/test_settlements.py",)
TAKE_OVER: Final = ("tests/contract/test_take_over.py",)
TOLD: Final = ("tests/unit/test_reconcile_telling.py",)
LOST_REPLIES: Final = ("tests/contract/test_lost_replies.py",)
DRIVES: Final = ("tests/unit/test_post_driver.py",)
CHOOSES: Final = ("tests/unit/test_post_next_best.py",)
STATES: Final = ("tests/unit/test_posts.py",)
OWNER: Final = ("tests/contract/test_owners_word.py",)
OWNER_CASES: Final = ("tests/unit/test_owners_word.py",)
REMOVES: Final = ("tests/unit/test_remove_persona.py",)
GUARDS: Final = ("tests/faults/test_guards.py",)
REPLIES: Final = ("tests/faults/test_bad_replies.py",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One guard and how to take it out. ``first`` has the test files that are likely to miss it."""

    guard: str
    file: str
    old: str
    new: str
    first: tuple[str, ...]
    also: tuple[tuple[str, str], ...] = ()
    """What else stands guard for the same in this file: old and new."""

    def without_the_guard(self, text: str) -> str:
        """Raises ValueError where the guard is not found exactly once in ``text``, its file's."""
        for old, new in ((self.old, self.new), *self.also):
            if text.count(old) != 1:
                raise ValueError(f"{self.guard}: found {text.count(old)} times in {self.file}: {old}")
            text = text.replace(old, new)
        return text


MUTANTS: Final = (
    # ---- the claim ----
    Mutant(
        "claim: the slot has no post",
        LEDGER,
        "slot_has_no_post = self._tables.posts.slot.does_not_exist()",
        "slot_has_no_post = self._tables.posts.slot.does_not_exist() | self._tables.posts.slot.exists()",
        CLAIM,
    ),
    Mutant(
        "claim: the photo has no post",
        LEDGER,
        "photo_has_no_post = photo.queued_for.exists() & photo.post_slot.does_not_exist()",
        "photo_has_no_post = photo.queued_for.exists()",
        CLAIM,
    ),
    Mutant(
        "claim: the photo is in the queue",
        LEDGER,
        "photo_has_no_post = photo.queued_for.exists() & photo.post_slot.does_not_exist()",
        "photo_has_no_post = photo.photo_id.exists() & photo.post_slot.does_not_exist()",
        CLAIM,
    ),
    Mutant(
        "claim: the persona is not paused",
        LEDGER,
        "persona_is_not_paused = persona.persona_id.exists() & persona.paused_reason.does_not_exist()",
        "persona_is_not_paused = persona.persona_id.exists()",
        CLAIM,
    ),
    Mutant(
        "claim: read back after a lost reply",
        LEDGER,
        'ours = self._stands(post, refusals["new post"])',
        "ours = False",
        LOST_REPLIES,
    ),
    Mutant(
        "claim: another run's post is not ours",
        LEDGER,
        'ours = self._stands(post, refusals["new post"])',
        "ours = True",
        CLAIM,
    ),
    Mutant(
        "claim: the caption is checked before it",
        POST_NEXT_BEST,
        "problem = caption_problem(post.caption)",
        "problem = None",
        CHOOSES,
    ),
    Mutant(
        "start: not more than 6 hours late",
        POST_NEXT_BEST,
        "LATEST_START: Final = timedelta(hours=6)",
        "LATEST_START: Final = timedelta(hours=60)",
        CHOOSES,
    ),
    # ---- the lease ----
    Mutant(
        "lease: a fresh owner for every run",
        WIRING,
        "RunId(uuid4().hex)",
        'RunId("the Lambda\'s own")',
        GUARDS,
    ),
    Mutant(
        "lease: outlives its run",
        RUNS,
        "return Lease(self.run_id, self.ends_at + LEASE_MARGIN)",
        "return Lease(self.run_id, self.ends_at - LEASE_MARGIN)",
        DRIVES,
    ),
    Mutant(
        "take-over: the lease has ended",
        LEDGER,
        "item.update(actions, is_open & lease_is_over)",
        "item.update(actions, is_open)",
        TAKE_OVER,
    ),
    Mutant(
        "take-over: the post is still open",
        LEDGER,
        "item.update(actions, is_open & lease_is_over)",
        "item.update(actions, lease_is_over)",
        TAKE_OVER,
    ),
    Mutant(
        "take-over: read back after a lost reply",
        LEDGER,
        "return standing if standing is not None and standing.lease.owner == lease.owner else None",
        "return None",
        LOST_REPLIES,
    ),
    Mutant(
        "take-over: another run's lease is not ours",
        LEDGER,
        "return standing if standing is not None and standing.lease.owner == lease.owner else None",
        "return standing",
        TAKE_OVER,
    ),
    Mutant(
        "take-over: the reconciler goes by its answer",
        RECONCILE,
        "        post = self._ledger.take_over(persona_id, slot, run.lease, now)\n",
        "        seen = self._ledger.get(persona_id, slot)\n"
        "        post = self._ledger.take_over(persona_id, slot, run.lease, now)\n"
        "        post = replace(seen, lease=run.lease) if post and seen else None\n",
        GUARDS,
    ),
    Mutant(
        "take-over: a repeated delivery goes by its answer",
        POST_NEXT_BEST,
        "return self._driver.drive(run, persona, taken)",
        "return self._driver.drive(run, persona, replace(post, lease=taken.lease))",
        GUARDS,
    ),
    # ---- the fence ----
    Mutant(
        "fence: on record before the request leaves",
        DRIVER,
        "            if not self._ledger.advance(post, fenced):\n                return self._lease_lost(post)\n",
        "",
        DRIVES,
    ),
    Mutant(
        "fence: only by who holds the post",
        DRIVER,
        "            if not self._ledger.advance(post, fenced):\n                return self._lease_lost(post)\n",
        "            self._ledger.advance(post, fenced)\n",
        DRIVES,
    ),
    Mutant(
        "fence: not where there is one (the write)",
        LEDGER,
        "fence_is_as_known = is_fenced if before.is_fenced else is_not_fenced",
        "fence_is_as_known = is_fenced if before.is_fenced else is_fenced | is_not_fenced",
        MOVES,
    ),
    Mutant(
        "fence: not where there is one (the rule)",
        POSTS,
        "if self.is_fenced or at >= self.deadline:",
        "if at >= self.deadline:",
        STATES,
    ),
    Mutant(
        "fence: not after the deadline",
        POSTS,
        "if self.is_fenced or at >= self.deadline:",
        "if self.is_fenced:",
        STATES,
    ),
    Mutant(
        "fence: numbered",
        POSTS,
        "publish_attempts=self.publish_attempts + 1,",
        "publish_attempts=self.publish_attempts,",
        STATES,
    ),
    Mutant(
        "fence: a fenced post is only looked at",
        DRIVER,
        "        if post.is_fenced:\n            return self._resolve(run, persona, post)\n",
        "        post = replace(post, publish_sent_at=None)\n",
        DRIVES,
    ),
    Mutant(
        "fence: stays while the request is unresolved",
        DRIVER,
        "            return self._resolve(run, persona, fenced, fault)\n",
        "            return self._defer(fenced, Defer(fault.message), container_id)\n",
        DRIVES,
    ),
    Mutant(
        "publish: not with too little time",
        DRIVER,
        "        if self._time_left(run) < PUBLISH_RESERVE:\n            raise Defer(",
        "        if False:\n            raise Defer(",
        DRIVES,
    ),
    # ---- what is written of a post that we hold ----
    Mutant(
        "write: the post is still open",
        LEDGER,
        "ours: Condition = is_open & is_mine & is_this_attempt & fence_is_as_known",
        "ours: Condition = is_mine & is_this_attempt & fence_is_as_known",
        MOVES,
    ),
    Mutant(
        "write: the lease is ours",
        LEDGER,
        "ours: Condition = is_open & is_mine & is_this_attempt & fence_is_as_known",
        "ours: Condition = is_open & is_this_attempt & fence_is_as_known",
        MOVES,
    ),
    Mutant(
        "write: the attempt's number",
        LEDGER,
        "ours: Condition = is_open & is_mine & is_this_attempt & fence_is_as_known",
        "ours: Condition = is_open & is_mine & fence_is_as_known",
        MOVES,
    ),
    Mutant(
        "write: the fence is as we know it",
        LEDGER,
        "ours: Condition = is_open & is_mine & is_this_attempt & fence_is_as_known",
        "ours: Condition = is_open & is_mine & is_this_attempt",
        MOVES,
    ),
    Mutant(
        "write: read back after a lost reply",
        LEDGER,
        "                return self._stands(after)\n",
        "                return False\n",
        LOST_REPLIES,
    ),
    Mutant(
        "write: another's record is not ours",
        LEDGER,
        "                return self._stands(after)\n",
        "                return True\n",
        MOVES,
    ),
    # ---- the two transactions of step 5 ----
    Mutant(
        "end: read back after a lost reply",
        LEDGER,
        'return Settlement.DONE if self._stands(after, refusals["post"]) else Settlement.LEASE_LOST',
        "return Settlement.LEASE_LOST",
        LOST_REPLIES,
    ),
    Mutant(
        "photo fault: the next claim in one transaction (the adapter)",
        LEDGER,
        "            transaction.claim(goes_on_with)\n        refusals",
        "            if self.claim(goes_on_with) is not Claim.WON:\n"
        "                return Settlement.NEXT_PHOTO_TAKEN\n        refusals",
        SETTLEMENTS,
    ),
    Mutant(
        "photo fault: the next claim in one transaction (the driver)",
        DRIVER,
        "            settlement = self._ledger.settle(post, failed, goes_on_with=following)\n",
        "            settlement = self._ledger.settle(post, failed)\n"
        "            if settlement is Settlement.DONE and self._ledger.claim(following).name != 'WON':\n"
        "                return Report.of(Outcome.FAILED, failed, fault.message)\n",
        GUARDS,
    ),
    Mutant(
        "account fault: the photo back in the same transaction",
        LEDGER,
        "            transaction.requeue(requeue, after.slot)\n",
        "            alone = _Transaction(self._tables)\n"
        "            alone.requeue(requeue, after.slot)\n"
        '            alone.write("put the photo back")\n',
        SETTLEMENTS,
    ),
    Mutant(
        "account fault: the pause in the same transaction",
        LEDGER,
        "            transaction.pause(after.persona_id, pause)\n",
        "            alone = _Transaction(self._tables)\n"
        "            alone.pause(after.persona_id, pause)\n"
        '            alone.write("pause the persona")\n',
        SETTLEMENTS,
    ),
    Mutant(
        "account fault: the photo is back in the queue",
        DRIVER,
        "settlement = self._ledger.settle(post, failed, requeue=photo, pause=pause)",
        "settlement = self._ledger.settle(post, failed, pause=pause)",
        DRIVES,
    ),
    Mutant(
        "account fault: the persona is paused",
        DRIVER,
        "settlement = self._ledger.settle(post, failed, requeue=photo, pause=pause)",
        "settlement = self._ledger.settle(post, failed, requeue=photo)",
        DRIVES,
    ),
    Mutant(
        "requeue: only while the photo is this post's",
        LEDGER,
        "photo_is_still_this_posts = model.post_slot == str(slot)",
        "photo_is_still_this_posts = model.photo_id.exists()",
        SETTLEMENTS,
    ),
    # ---- the deadline, and what cannot be known ----
    Mutant(
        "deadline: only where nothing was sent",
        DRIVER,
        "        if post.is_fenced:\n            return self._resolve(run, persona, post)\n"
        "        if self._clock.now() >= post.deadline:\n            return self._miss_deadline(post, persona)\n",
        "        if self._clock.now() >= post.deadline:\n            return self._miss_deadline(post, persona)\n"
        "        if post.is_fenced:\n            return self._resolve(run, persona, post)\n",
        DRIVES,
    ),
    Mutant(
        "resolve: only PUBLISHED decides (not FINISHED)",
        DRIVER,
        "        if seen is ContainerStatus.PUBLISHED:\n",
        "        if seen in {ContainerStatus.PUBLISHED, ContainerStatus.FINISHED}:\n",
        DRIVES,
    ),
    Mutant(
        "resolve: only PUBLISHED decides (not a match)",
        DRIVER,
        "        if seen is ContainerStatus.PUBLISHED:\n",
        "        if seen is ContainerStatus.PUBLISHED or self._match_media(run, persona, post).unique:\n",
        GUARDS,
    ),
    Mutant(
        "resolve: an expired container fails nothing",
        DRIVER,
        "        now = self._clock.now()\n        what_is_open = (",
        "        now = self._clock.now()\n        if seen is ContainerStatus.EXPIRED:\n"
        "            return self._miss_deadline(post, persona)\n        what_is_open = (",
        DRIVES,
    ),
    Mutant(
        "resolve: unconfirmed only after 24 hours",
        POSTS,
        "CONTAINER_LIFE: Final = timedelta(hours=24)",
        "CONTAINER_LIFE: Final = timedelta(hours=12)",
        DRIVES,
    ),
    Mutant(
        "complete: only what is posted and lacks its media",
        LEDGER,
        "item.update(changes, is_live & lacks_its_media)",
        "item.update(changes, is_live)",
        MOVES,
    ),
    # ---- the owner's word ----
    Mutant(
        "owner: only a failed post is retried",
        LEDGER,
        "retried, is_failed & was_never_retried)",
        "retried, was_never_retried)",
        OWNER,
    ),
    Mutant(
        "owner: a failed post is retried once",
        LEDGER,
        "retried, is_failed & was_never_retried)",
        "retried, is_failed)",
        OWNER,
    ),
    Mutant(
        "owner: only while the photo is the failed post's",
        LEDGER,
        "photo_is_still_its = photo.post_slot == str(failed.slot)",
        "photo_is_still_its = photo.photo_id.exists()",
        OWNER,
    ),
    Mutant(
        "owner: nothing is retried for a paused persona",
        LEDGER,
        "        self.check_persona(failed.persona_id)\n",
        "",
        OWNER,
    ),
    Mutant(
        "owner: a retry is read back after a lost reply",
        LEDGER,
        'return Retrial.DONE if self._stands(following, refusals["new post"]) else Retrial.SLOT_TAKEN',
        "return Retrial.SLOT_TAKEN",
        LOST_REPLIES,
    ),
    Mutant(
        "owner: another's retry is not ours",
        LEDGER,
        'return Retrial.DONE if self._stands(following, refusals["new post"]) else Retrial.SLOT_TAKEN',
        "return Retrial.DONE",
        OWNER,
    ),
    Mutant(
        "owner: a retry posts no other photo",
        DRIVER,
        "going_on = None if post.retry_of is not None else post.slot.following",
        "going_on = post.slot.following",
        OWNER_CASES,
    ),
    Mutant(
        "owner: only an unconfirmed post is resolved",
        LEDGER,
        "is_unconfirmed: Condition = model.status == PostStatus.UNCONFIRMED.value",
        "is_unconfirmed: Condition = model.slot.exists()",
        OWNER,
    ),
    Mutant(
        "owner: a word is read back after a lost reply",
        LEDGER,
        'return Resolution.DONE if self._stands(after, refusals["post"]) else Resolution.NOT_UNCONFIRMED',
        "return Resolution.NOT_UNCONFIRMED",
        LOST_REPLIES,
    ),
    Mutant(
        "owner: no media is two posts'",
        LEDGER,
        "                if other.provider_post_id is not None:\n                    return Resolution.MEDIA_TAKEN\n",
        "                if other.provider_post_id is not None:\n                    continue\n",
        OWNER,
    ),
    Mutant(
        "owner: no media becomes two posts' at once",
        LEDGER,
        "                transaction.check(slot, model, other.persona_id, has_none | has_another, range_key=slot)\n",
        "",
        OWNER,
    ),
    Mutant(
        "owner: not said to be absent while it may land",
        POSTS,
        "if self.cannot_land_after is None or at < self.cannot_land_after:",
        "if self.cannot_land_after is None:",
        OWNER_CASES,
    ),
    Mutant(
        "owner: not said to be absent when its container was published",
        RESOLVE,
        "        if sight.is_published:\n",
        "        if False:\n",
        OWNER_CASES,
    ),
    Mutant(
        "owner: no persona is removed while a post is unconfirmed",
        REMOVE,
        "if post.status is PostStatus.UNCONFIRMED:",
        "if False:",
        REMOVES,
    ),
    Mutant(
        "owner: a removal takes over only what was never sent",
        REMOVE,
        "if post.status is not PostStatus.POSTING or post.publish_attempts:",
        "if post.status is not PostStatus.POSTING:",
        REMOVES,
    ),
    Mutant(
        "owner: a removal ends only what was never sent, as the take-over says",
        DRIVER,
        "if post.publish_attempts or post.is_fenced:",
        "if post.is_fenced:",
        REMOVES,
    ),
    Mutant(
        "owner: the first reason of a pause stays",
        DIRECTORY,
        "model.paused_reason.set(reason), only=is_not_paused)",
        "model.paused_reason.set(reason))",
        OWNER,
    ),
    Mutant(
        "owner: only the pause that was seen is lifted",
        DIRECTORY,
        "is_as_seen = None if seen is None else model.paused_reason == seen",
        "is_as_seen = None",
        OWNER,
    ),
    # ---- the wire ----
    Mutant(
        "wire: urllib3 repeats nothing",
        GRAPH,
        "HTTPAdapter(max_retries=0)",
        "HTTPAdapter(max_retries=requests.adapters.Retry(3, allowed_methods=None))",
        REPLIES,
    ),
    Mutant(
        "wire: no redirect is followed",
        GRAPH,
        "allow_redirects=False",
        "allow_redirects=True",
        REPLIES,
        also=(("self._session = StraightSession()", "self._session = requests.Session()"),),
    ),
    Mutant(
        "wire: no redirect is looked at",
        GRAPH,
        "self._session = StraightSession()",
        "self._session = requests.Session()",
        REPLIES,
    ),
    Mutant(
        "wire: a call ends in time",
        GRAPH,
        "return ends_within(seconds + _GRACE, exchange)",
        "return exchange()",
        REPLIES,
    ),
    Mutant(
        "wire: a server error decides nothing",
        PUBLISHER,
        "            if refusal.is_server_error:\n",
        "            if False:\n",
        REPLIES,
    ),
    Mutant(
        "told: of an unresolved post after an hour",
        HANDLER,
        "now - sent_at >= UNRESOLVED_ALARM",
        "False",
        TOLD,
    ),
    Mutant(
        "told: each post as soon as it is done",
        HANDLER,
        "lambda report: answers.append(_told(report, stack.clock.now(), log))",
        "lambda report: None",
        TOLD,
    ),
    Mutant(
        "told: that a record could not be read",
        HANDLER,
        "    if done.unreadable:\n",
        "    if False:\n",
        TOLD,
    ),
    Mutant(
        "reconcile: no post takes the others' time",
        RECONCILE,
        "        run = replace(run, works_until=min(run.ends_at, now + TIME_FOR_ONE))\n",
        "",
        ("tests/unit/test_reconcile.py",),
    ),
    Mutant(
        "wire: only what never left may be sent again",
        PUBLISHER,
        "            if failure.provably_not_sent:\n",
        "            if True:\n",
        REPLIES,
    ),
    Mutant(
        "wire: an answer is read up to its limit",
        GRAPH,
        "        if len(body) > LARGEST_ANSWER:\n",
        "        if False:\n",
        REPLIES,
    ),
)


class Tree:
    """A copy of the tree, in which one thing may be changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (".*", "__pycache__", "*.egg-info", "build", "node_modules")
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*names))

    def take_out(self, mutant: Mutant) -> None:
        path = self._folder / mutant.file
        path.write_text(mutant.without_the_guard(path.read_text(encoding="utf-8")), encoding="utf-8")

    def failures(
        self, tests: Sequence[str], *, without: Collection[str] = (), only_first: bool, seconds: float
    ) -> list[str]:
        """The tests that fail. Raises subprocess.TimeoutExpired, and ValueError where pytest itself fails."""
        options = ["-q", "-rfE", "--tb=no", "--no-header", "-p", "no:cacheprovider", *(["-x"] if only_first else [])]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *(f"--deselect={test}" for test in without), *tests],
            cwd=self._folder,
            env={
                **os.environ,
                dynamodb_local.FOLDER_VARIABLE: str(dynamodb_local.folder()),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        found = re.findall(r"^FAILED (\S.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
        # A test that could not be set up has caught nothing: a server that did not start, or code that is no code.
        if not found and done.returncode not in {_PASSED, _NO_TESTS}:
            raise ValueError(f"pytest ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hunt."""

    mutant: Mutant
    result: str
    details: str = ""
    is_missed: bool = False


class Hunt:
    """Looks for the test that misses each guard."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._healthy = Tree(folder / "healthy")
        self._fails_anyway: dict[tuple[str, ...], list[str]] = {}
        self._lock = Lock()

    def outcome(self, mutant: Mutant) -> Outcome:
        """Twice where pytest itself fails: on a busy machine a server may not start in its time."""
        for is_last in (False, True):
            try:
                test = self.caught_by(mutant)
            except (ValueError, subprocess.TimeoutExpired) as error:
                if is_last:
                    return Outcome(mutant, "NOT RUN", str(error))
            else:
                return Outcome(mutant, test or "SURVIVED", is_missed=test is not None)
        raise AssertionError

    def caught_by(self, mutant: Mutant) -> str | None:
        """The first test that fails without the guard and passes with it."""
        tree = Tree(Path(tempfile.mkdtemp(dir=self._folder)) / "tree")
        tree.take_out(mutant)
        for tests in _stages(mutant):
            sick: list[str] = []
            while failures := tree.failures(tests, without=sick, only_first=True, seconds=self._seconds):
                if failures[0] in sick:
                    raise ValueError(f"cannot be left out of a run: {failures[0]}")
                if self._is_caught_by(tree, failures[0]):
                    return failures[0]
                sick += [*failures, *self._failures_with_the_guard(tests)]
        return None

    def _is_caught_by(self, tree: Tree, test: str) -> bool:
        """It fails without the guard, twice, and passes with it: one that fails now and then catches nothing."""
        with self._lock:
            with_guard = self._healthy.failures((test,), only_first=True, seconds=self._seconds)
        return not with_guard and bool(tree.failures((test,), only_first=True, seconds=self._seconds))

    def _failures_with_the_guard(self, tests: tuple[str, ...]) -> list[str]:
        with self._lock:
            if tests not in self._fails_anyway:
                self._fails_anyway[tests] = self._healthy.failures(tests, only_first=False, seconds=self._seconds)
            return self._fails_anyway[tests]


def _stages(mutant: Mutant) -> Iterator[tuple[str, ...]]:
    """The likely tests, and then all others, the quicker folders first."""
    yield mutant.first
    for folder in ALL_TESTS:
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("test_*.py")}
        yield tuple(sorted(files - {*mutant.first, *SLOWEST}))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="take out only the guards whose name has this in it")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="how many at once (one for each processor)"
    )
    parser.add_argument("--seconds", type=float, default=1800, help="longest time for one run of pytest (1800)")
    arguments = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if arguments.only in mutant.guard]
    for mutant in MUTANTS:
        mutant.without_the_guard((ROOT / mutant.file).read_text(encoding="utf-8"))
    if not dynamodb_local.available():
        print(f"Without DynamoDB Local: {dynamodb_local.HOW_TO_GET_IT} gets it.")
    width = max(len(mutant.guard) for mutant in MUTANTS)
    missed = 0
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(arguments.jobs) as pool:
        hunt = Hunt(Path(scratch), arguments.seconds)
        print(f"{'guard taken out':<{width}}  caught by", flush=True)
        for outcome in pool.map(hunt.outcome, chosen):
            missed += outcome.is_missed
            print(f"{outcome.mutant.guard:<{width}}  {outcome.result}", flush=True)
            if outcome.details:
                print(outcome.details, file=sys.stderr, flush=True)
    print(f"{len(chosen)} guards taken out one by one: {missed} caught by a test, {len(chosen) - missed} not.")
    return 0 if chosen and missed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
