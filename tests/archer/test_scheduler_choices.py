"""What the scheduler does first, never, again or twice: deadlines, limits, keys, budgets, growth, losses, stragglers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import pytest

from archer.artifact import Artifact
from archer.canonical import memo_key
from archer.errors import Category, TaskFailure
from archer.plan import JobSpec, Limits, Node, Terms, make_plan
from archer.scheduler import (
    Abandon,
    Action,
    Alive,
    Begin,
    Capacity,
    Continue,
    Ended,
    Failed,
    Finished,
    Launch,
    Looked,
    LookUp,
    PartsStored,
    Pause,
    Paused,
    Policy,
    Resized,
    Result,
    Retry,
    Scheduler,
    Stop,
    StoreParts,
    Tick,
)
from archer.stage import Item, Resources, Stage
from archer.wire import item_from_json, item_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    memory_mb: int = 1000
    timeout_s: int = 0


class Bag(Stage[P]):
    name, version, params = "bag", 1, P
    parts: ClassVar = {"value": "value@1"}
    outputs: ClassVar = {"parts": "parts@1"}

    def resources(self, params: P) -> Resources:
        return Resources(memory_mb=params.memory_mb, timeout_s=params.timeout_s)

    def split(self, inputs: Any, params: P) -> Sequence[Item]:
        return ()

    def map(self, ctx: Any, item: Item, params: P) -> None: ...


DONE = Result(outputs={"value": Artifact(kind="value@1", hash="sha256:0", size=1)})


class Play:
    """A scheduler whose nodes are bags of items; `launched` has the names in the order in which they were started."""

    def __init__(
        self,
        bags: dict[str, Sequence[Item | int]],
        *,
        capacity: Capacity | None = None,
        terms: dict[str, Terms] | None = None,
        limits: Limits | None = None,
        **more: Any,
    ) -> None:
        params, paused = more.pop("params", {}), more.pop("paused", False)
        nodes = [
            Node(id=name, stage=Bag, params=params, terms=(terms or {}).get(name, Terms())) for name in bags
        ]
        plan = make_plan(JobSpec(nodes=nodes, limits=limits or Limits()))
        self.scheduler = Scheduler(plan, capacity=capacity or Capacity(cpu=1), **more)
        self.now, self.running, self.launched = 0.0, {}, []
        self.tell(Begin())
        self.launched.clear()
        if paused:
            self.tell(Pause())
        for name, items in bags.items():
            made = [
                item if isinstance(item, Item) else Item(variant=str(place), weight=item)
                for place, item in enumerate(items)
            ]
            self.split = self.end(f"{name}/split/0", Result(outputs={}, items=made))

    def tell(self, happening: Any) -> list[Action]:
        actions = list(self.scheduler.handle(happening, self.now))
        for action in list(actions):
            match action:
                case LookUp():
                    splits = action.tasks[0].phase == "split" and not isinstance(happening, Begin)
                    assert not splits
                    actions += self.tell(Looked(asked=action.tasks, hits={}))
                case StoreParts():
                    parts = Artifact(kind="parts@1", hash="sha256:0", size=1)
                    actions += self.tell(PartsStored(node=action.node, artifact=parts))
                case Launch():
                    name = action.task.name.replace("/map/", ".")
                    self.running.setdefault(name, []).append(action)
                    self.launched.append(name)
        return actions

    def end(self, name: str, result: Result = DONE, *, which: int = 0, cpu_ms: int = 0) -> list[Action]:
        launch = self.running[name].pop(which)
        return self.tell(Finished(ticket=launch.ticket, result=result, cpu_ms=cpu_ms))

    def fail(self, name: str, category: Category, *, which: int = 0) -> list[Action]:
        launch = self.running[name].pop(which)
        return self.tell(
            Failed(ticket=launch.ticket, failure=TaskFailure(name, "Error", "wrong", category=category))
        )

    def later(self, seconds: float) -> list[Action]:
        self.now += seconds
        return self.tell(Tick())


def kinds(actions: list[Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


def test_the_earliest_deadline_goes_first_then_the_order_of_the_plan() -> None:
    terms = {"b": Terms(deadline_s=200), "c": Terms(deadline_s=100)}
    bags = {"a": [1, 1], "b": [1, 1], "c": [1, 1], "d": [1]}
    play = Play(bags, terms=terms, capacity=Capacity(cpu=4), paused=True)
    play.tell(Resized(capacity=Capacity(cpu=1)))
    play.tell(Continue())
    while waiting := [name for name, tries in play.running.items() if tries]:
        play.end(waiting[0])
    assert play.launched == ["c.0", "c.1", "b.0", "b.1", "a.0", "a.1", "d.0"]


def test_the_longest_goes_first_by_its_predicted_cost_where_there_is_one() -> None:
    items = [
        Item(variant="long", weight=90),
        Item(variant="quiet", weight=96, cost=50),
        Item(variant="busy", weight=80, cost=200),
        Item(variant="short", weight=10),
    ]
    play = Play({"a": items}, paused=True)
    play.tell(Continue())
    for _ in items:
        play.end(play.launched[-1])
    assert play.launched == ["a.busy", "a.long", "a.quiet", "a.short"]


def test_predicted_costs_are_stored_with_items_and_name_nothing() -> None:
    item = Item(variant="720p", weight=96, cost=50)
    assert item_from_json(item_to_json(item), {}) == item
    assert "cost" not in item_to_json(replace(item, cost=0)), "items without one are written as ever"
    keys = {memo_key("encode@1", "map", replace(item, cost=cost), {}) for cost in (0, 50)}
    assert len(keys) == 1


def test_a_queue_holds_back_its_own_tasks_only() -> None:
    play = Play(
        {"a": [1, 1, 1], "b": [1]},
        terms={"a": Terms(queue="gpu")},
        limits=Limits(queues={"gpu": 2}),
        capacity=Capacity(cpu=8),
    )
    assert sorted(play.launched) == ["a.0", "a.1", "b.0"]
    play.end("b.0")
    assert "a.2" not in play.launched
    play.end("a.0")
    assert play.launched[-1] == "a.2"


def test_tasks_with_a_common_key_never_run_together() -> None:
    items = [Item(variant=str(place), exclusive=key) for place, key in enumerate("xxyy")]
    play = Play({"a": items}, capacity=Capacity(cpu=8))
    assert play.launched == ["a.0", "a.2"]
    play.end("a.2")
    assert play.launched == ["a.0", "a.2", "a.3"]
    play.fail("a.0", "transient")
    assert play.launched[-1] == "a.1", "a try that failed frees its key"


def test_a_spent_budget_starts_nothing_more_and_ends_the_job_when_what_runs_has_ended() -> None:
    play = Play({"a": [1, 1, 1, 1]}, limits=Limits(budget_cpu_s=10), capacity=Capacity(cpu=2))
    assert kinds(play.end("a.0", cpu_ms=10_000)) == ["Commit"]
    actions = play.end("a.1", cpu_ms=1)
    assert kinds(actions) == ["Commit", "Ended"]
    assert actions[-1].state == "failed"
    assert "budget of 10 CPU seconds" in str(actions[-1].failures[0])


def test_a_pause_starts_nothing_and_takes_nothing_away() -> None:
    play = Play({"a": [1, 1]})
    assert play.tell(Pause()) == [Paused(paused=True)]
    assert kinds(play.end("a.0")) == ["Commit"]
    assert kinds(play.tell(Continue())) == ["Paused", "Launch"]


def test_a_cancelled_job_says_so() -> None:
    play = Play({"a": [1, 1]})
    actions = play.tell(Stop(state="cancelled"))
    assert kinds(actions) == ["Abandon", "Ended"]
    assert actions[-1].state == "cancelled"


def test_what_ran_out_of_memory_gets_more_until_there_is_no_more() -> None:
    play = Play({"a": [1]}, capacity=Capacity(cpu=1, memory_mb=3000))
    given = [play.running["a.0"][0].resources.memory_mb]
    for _ in range(2):
        assert kinds(play.fail("a.0", "memory")) == ["Retry"]
        play.later(1.0)
        given.append(play.running["a.0"][0].resources.memory_mb)
    assert given == [1000, 2000, 3000]
    assert kinds(play.fail("a.0", "memory"))[0] == "Poison"


def test_preemption_never_uses_up_the_patience_with_other_failures() -> None:
    play = Play({"a": [1]})
    for category in ["preempted"] * 10 + ["transient"] * 3:
        assert kinds(play.fail("a.0", category)) == ["Retry"]
        play.later(60.0)
    assert play.running["a.0"][0].attempt == 14
    assert kinds(play.fail("a.0", "transient"))[0] == "Poison"


def test_a_node_that_can_spare_items_ends_without_them_and_the_job_is_partial() -> None:
    play = Play({"a": [1] * 10}, terms={"a": Terms(min_success=Fraction(8, 10))}, capacity=Capacity(cpu=10))
    assert kinds(play.fail("a.0", "user")) == ["Poison"]
    assert kinds(play.fail("a.1", "user")) == ["Poison"]
    for place in range(2, 9):
        play.end(f"a.{place}")
    actions = play.end("a.9")
    (stored,) = [action for action in actions if isinstance(action, StoreParts)]
    assert len(stored.parts) == 8
    assert actions[-1] == Ended(state="partial", failures=actions[-1].failures)
    assert len(actions[-1].failures) == 2


def test_one_loss_too_many_ends_the_job() -> None:
    play = Play({"a": [1] * 10}, terms={"a": Terms(min_success=Fraction(9, 10))}, capacity=Capacity(cpu=2))
    play.fail("a.0", "user")
    actions = play.fail("a.1", "user")
    assert actions[-1].state == "failed"


def test_a_try_that_takes_longer_than_it_may_is_stopped() -> None:
    play = Play({"a": [1]}, params={"timeout_s": 30})
    launch = play.running["a.0"].pop()
    assert play.scheduler.next_wake == 30.0
    play.now = 29.0
    play.tell(Alive(ticket=launch.ticket))
    actions = play.later(2.0)
    assert kinds(actions) == ["Abandon", "Retry"]
    assert "not done within 30 s" in actions[1].failure.message


CLUSTER = Capacity(cpu=4, machines=2)


def behind() -> Play:
    """Three of four equal tasks took 10 s; the last is 22 s old by now, and was at a twentieth after 10 s."""
    play = Play({"a": [10, 10, 10, 10]}, capacity=CLUSTER)
    play.later(10.0)
    for place in range(3):
        play.end(f"a.{place}")
    play.tell(Alive(ticket=play.running["a.3"][0].ticket, share=0.05))
    play.later(12.0)
    return play


def test_a_straggler_is_run_twice_and_the_first_to_end_counts() -> None:
    play = behind()
    first, copy = play.running["a.3"]
    assert copy.copy_of == first.ticket
    assert copy.ticket > first.ticket
    play.later(5.0)
    assert len(play.running["a.3"]) == 2, "no third one"
    actions = play.end("a.3", which=1)
    assert kinds(actions)[:3] == ["Commit", "Abandon", "Dropped"]
    assert (actions[0].ticket, actions[1].ticket, actions[1].final) == (copy.ticket, first.ticket, False)
    assert play.tell(Finished(ticket=first.ticket, result=DONE)) == []


def test_when_the_slow_one_wins_the_copy_is_given_up() -> None:
    play = behind()
    copy = play.running["a.3"][1]
    actions = play.end("a.3", which=0)
    assert actions[1] == Abandon(task=copy.task, ticket=copy.ticket, final=False)


def test_one_of_two_tries_may_fail_without_harm() -> None:
    play = behind()
    actions = play.fail("a.3", "death", which=0)
    assert kinds(actions) == ["Dropped"]
    assert kinds(play.fail("a.3", "death")) == ["Retry"], "now nobody has it"


def test_an_error_of_the_users_ends_both_tries() -> None:
    play = behind()
    actions = play.fail("a.3", "user", which=1)
    assert kinds(actions) == ["Poison", "Abandon", "Dropped", "Ended"]


def test_stop_gives_up_both_tries_and_cancels_the_task_once() -> None:
    play = behind()
    actions = play.tell(Stop())
    assert [action.final for action in actions if isinstance(action, Abandon)] == [True, False]
    assert kinds(actions) == ["Abandon", "Abandon", "Dropped", "Ended"]


def test_on_one_machine_nothing_is_run_twice() -> None:
    play = Play({"a": [10, 10, 10, 10]}, capacity=Capacity(cpu=4))
    play.later(10.0)
    for place in range(3):
        play.end(f"a.{place}")
    play.later(50.0)
    assert len(play.running["a.3"]) == 1


def test_the_longest_of_a_wide_node_is_insured_from_the_start_within_its_share() -> None:
    """A failure at the end of the longest task would take as long again as the whole node."""
    weights = [600] + [60] * 2000
    play = Play({"a": weights}, capacity=Capacity(cpu=500, machines=8))
    assert [launch.copy_of != 0 for launch in play.running["a.0"]] == [False, True]
    assert all(
        len(tries) == 1
        for name, tries in play.running.items()
        if name.startswith("a.") and name != "a.0" and tries
    )
    none = Play({"a": weights}, capacity=Capacity(cpu=500, machines=8), policy=Policy(hedged_percent=0))
    assert len(none.running["a.0"]) == 1


def test_history_tells_what_is_slow_before_anything_has_ended() -> None:
    play = Play({"a": [10]}, capacity=CLUSTER, paces={"a": 1.0})
    play.now = 4.0
    play.tell(Alive(ticket=play.running["a.0"][0].ticket, share=0.01))
    play.later(2.0)
    assert len(play.running["a.0"]) == 2


def test_every_try_has_a_ticket_of_its_own() -> None:
    play = Play({"a": [1] * 3}, capacity=Capacity(cpu=3))
    tickets = [launch.ticket for tries in play.running.values() for launch in tries]
    for _ in range(2):
        actions = play.fail("a.1", "transient")
        assert isinstance(actions[0], Retry)
        play.later(60.0)
        tickets.append(play.running["a.1"][0].ticket)
    assert len(set(tickets)) == len(tickets)


@pytest.mark.parametrize("share", [Fraction(0), Fraction(11, 10)])
def test_terms_that_make_no_sense_are_refused(share: Fraction) -> None:
    with pytest.raises(ValueError, match="min_success: wanted over 0 to 1"):
        Play({"a": [1]}, terms={"a": Terms(min_success=share)})
