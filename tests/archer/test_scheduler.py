"""The scheduler as a pure function: what happened and when -> what it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from archer.artifact import Artifact
from archer.errors import Category, TaskFailure
from archer.plan import JobSpec, Node, make_plan
from archer.scheduler import (
    Abandon,
    Action,
    Alive,
    Begin,
    Capacity,
    Commit,
    Ended,
    Failed,
    Finished,
    Launch,
    Looked,
    LookUp,
    NodeDone,
    PartsStored,
    Planned,
    Poison,
    Recall,
    Renew,
    Resized,
    Result,
    Retry,
    Scheduler,
    Stop,
    StoreParts,
    Tick,
)
from archer.stage import Item, Resources, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    n: int = 3
    cpu: int = 1
    gpu: int = 0


class Chunked(Stage[P]):
    name, version, params = "chunked", 1, P
    parts: ClassVar = {"value": "value@1"}
    outputs: ClassVar = {"total": "total@1"}

    def resources(self, params: P) -> Resources:
        return Resources(cpu=params.cpu, gpu=params.gpu)

    def split(self, inputs: Any, params: P) -> Sequence[Item]:
        return ()

    def map(self, ctx: Any, item: Item, params: P) -> None: ...

    def collect(self, ctx: Any, parts: Any, params: P) -> None: ...


class Single(Stage[P]):
    name, version, params = "single", 1, P
    inputs: ClassVar = {"total": "total@1"}
    outputs: ClassVar = {"last": "last@1"}

    def map(self, ctx: Any, item: Item, params: P) -> None: ...


def blob(kind: str, name: str = "0") -> Artifact:
    return Artifact(kind=kind, hash=f"sha256:{name}", size=1)


VALUE = Result(outputs={"value": blob("value@1")})
TOTAL = Result(outputs={"total": blob("total@1")})


def failure(category: Category) -> TaskFailure:
    return TaskFailure("chunked", "Error", "went wrong", category=category)


class Bench:
    """A scheduler with a clock, whose memo is empty unless told otherwise."""

    def __init__(self, *nodes: Node, cpu: int = 2, **more: Any) -> None:
        plan = make_plan(JobSpec(nodes=nodes or (Node(id="c", stage=Chunked),)))
        self.scheduler = Scheduler(plan, capacity=Capacity(cpu=cpu), **more)
        self.now, self.running = 0.0, {}
        self.memo: dict[str, Result] = {}

    def tell(self, happening: Any) -> list[Action]:
        """All actions that follow, with look-ups and stores answered."""
        actions = list(self.scheduler.handle(happening, self.now))
        for action in list(actions):
            match action:
                case LookUp():
                    hits = {
                        task.name: self.memo[task.name] for task in action.tasks if task.name in self.memo
                    }
                    actions += self.tell(Looked(asked=action.tasks, hits=hits))
                case StoreParts():
                    actions += self.tell(PartsStored(node=action.node, artifact=blob("parts@1")))
                case Launch():
                    self.running[action.task.name] = action.ticket
        return actions

    def finish(self, name: str, result: Result) -> list[Action]:
        return self.tell(Finished(ticket=self.running.pop(name), result=result))

    def fail(self, name: str, category: Category) -> list[Action]:
        return self.tell(Failed(ticket=self.running.pop(name), failure=failure(category)))

    def split(self, *weights: int) -> list[Action]:
        """Begin, and split node `c` into items `0`, `1`, ... of these weights."""
        self.tell(Begin())
        items = [Item(variant=str(place), weight=weight) for place, weight in enumerate(weights)]
        return self.finish("c/split/0", Result(outputs={}, items=items))


def of(kind: type, actions: list[Action]) -> list[Any]:
    return [action for action in actions if type(action) is kind]


def names(actions: list[Action]) -> list[str]:
    return [action.task.name for action in of(Launch, actions)]


def test_a_chunked_node_goes_through_split_map_collect() -> None:
    bench = Bench(Node(id="c", stage=Chunked), Node(id="s", stage=Single, inputs={"total": "c.total"}))
    actions = bench.split(1, 1)
    assert [type(action) for action in actions] == [Commit, Planned, LookUp, Launch, Launch]
    assert names(bench.finish("c/map/0", VALUE)) == []
    assert names(bench.finish("c/map/1", VALUE)) == ["c/collect/0"]
    actions = bench.finish("c/collect/0", TOTAL)
    assert of(NodeDone, actions)[0].outputs == TOTAL.outputs
    (launch,) = of(Launch, actions)
    assert (launch.task.name, launch.inputs) == ("s/map/all", {"total": TOTAL.outputs["total"]})
    actions = bench.finish("s/map/all", Result(outputs={"last": blob("last@1")}))
    assert actions[-1] == Ended(state="done")
    assert bench.scheduler.over
    assert bench.tell(Tick()) == []


def test_the_heaviest_items_start_first_and_no_more_than_fit() -> None:
    bench = Bench()
    assert names(bench.split(1, 5, 3, 4)) == ["c/map/1", "c/map/3"]
    assert names(bench.finish("c/map/1", VALUE)) == ["c/map/2"]


def test_what_the_memo_knows_is_not_launched() -> None:
    bench = Bench()
    bench.memo = {"c/map/0": VALUE, "c/map/1": VALUE, "c/collect/0": TOTAL}
    actions = bench.split(1, 1)
    assert [action.task.name for action in of(Recall, actions)] == ["c/map/0", "c/map/1", "c/collect/0"]
    assert names(actions) == []
    assert actions[-1] == Ended(state="done")


def test_a_collect_that_asks_for_more_is_called_again_with_all_parts() -> None:
    bench = Bench()
    bench.split(1)
    bench.finish("c/map/0", VALUE)
    actions = bench.finish("c/collect/0", Result(outputs={}, items=[Item(variant="more")]))
    assert names(actions) == ["c/map/more#1"]
    actions = bench.finish("c/map/more#1", VALUE)
    assert len(of(StoreParts, actions)[0].parts) == 2
    assert names(actions) == ["c/collect/1"]


def test_a_failed_try_waits_longer_each_time_under_a_new_ticket() -> None:
    bench = Bench()
    bench.split(1)
    first = bench.running["c/map/0"]
    waits = []
    for _ in range(3):
        (retry,) = of(Retry, bench.fail("c/map/0", "transient"))
        waits.append(retry.at - bench.now)
        assert bench.scheduler.next_wake == retry.at
        assert names(bench.tell(Tick())) == [], "not before it is due"
        bench.now = retry.at
        assert names(bench.tell(Tick())) == ["c/map/0"]
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0]
    assert bench.running["c/map/0"] > first
    actions = bench.fail("c/map/0", "transient")
    assert of(Poison, actions)[0].attempt == 4
    assert of(Ended, actions)[0].state == "failed"


@pytest.mark.parametrize("category", ["user", "disk"])
def test_what_no_retry_can_mend_ends_the_job_and_what_runs_is_given_up(category: Category) -> None:
    bench = Bench()
    bench.split(1, 1)
    actions = bench.fail("c/map/0", category)
    assert [type(action) for action in actions] == [Poison, Abandon, Ended]
    assert actions[1] == Abandon(task=actions[1].task, ticket=bench.running["c/map/1"], final=True)
    assert actions[2].failures[0].category == category


def test_a_late_result_changes_nothing() -> None:
    bench = Bench()
    bench.split(1)
    ticket = bench.running["c/map/0"]
    bench.now = 61.0
    actions = bench.tell(Tick())
    assert [type(action) for action in actions] == [Abandon, Retry]
    assert not actions[0].final
    assert bench.tell(Finished(ticket=ticket, result=VALUE)) == []
    bench.now = actions[1].at
    assert names(bench.tell(Tick())) == ["c/map/0"]
    assert of(Commit, bench.finish("c/map/0", VALUE))


def test_signs_of_life_keep_a_lease_and_are_not_stored_each_time() -> None:
    bench = Bench()
    bench.split(1)
    ticket = bench.running["c/map/0"]
    renewed = 0
    for second in range(1, 300, 5):
        bench.now = float(second)
        renewed += len(of(Renew, bench.tell(Alive(ticket=ticket))))
        assert of(Abandon, bench.tell(Tick())) == []
    assert 5 <= renewed <= 15


def test_room_grows_and_shrinks_without_harm_to_what_runs() -> None:
    bench = Bench(cpu=2)
    assert len(names(bench.split(1, 1, 1, 1, 1))) == 2
    assert len(names(bench.tell(Resized(capacity=Capacity(cpu=4))))) == 2
    assert of(Abandon, bench.tell(Resized(capacity=Capacity(cpu=1)))) == []
    assert names(bench.finish("c/map/0", VALUE)) == []


def test_a_task_wider_than_the_machine_runs_alone() -> None:
    bench = Bench(Node(id="c", stage=Chunked, params={"cpu": 8}), cpu=2)
    assert names(bench.split(1, 1)) == ["c/map/0"]
    assert names(bench.finish("c/map/0", VALUE)) == ["c/map/1"]


def test_what_can_never_run_is_refused_with_the_reason() -> None:
    bench = Bench(Node(id="c", stage=Chunked, params={"gpu": 1}))
    actions = bench.tell(Begin())
    assert "needs 1 GPU" in str(of(Ended, actions)[0].failures[0])


def test_stop_gives_up_everything_that_runs() -> None:
    bench = Bench()
    bench.split(1, 1, 1)
    actions = bench.tell(Stop())
    assert [type(action) for action in actions] == [Abandon, Abandon, Ended]
    assert actions[-1].state == "interrupted"
