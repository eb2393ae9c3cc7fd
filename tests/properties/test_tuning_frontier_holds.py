"""What must hold of frontiers and recommendations for any figures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.recommendation import STRATEGIES, Candidate, Strategy, recommend, value_of
from loadtests.stats.estimate import Estimate
from loadtests.stats.pareto import dominates, frontier, intervals_below, pareto_statuses

SMALL = st.integers(1, 8).map(float)  # small whole numbers: ties are as frequent as differences
POINTS = st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=12)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    value = draw(SMALL)
    if draw(st.booleans()):
        return Estimate(n=100, value=value)
    return Estimate(100, value, value * draw(st.floats(0.5, 1.0)), value * draw(st.floats(1.0, 2.0)))


CONTENDERS = st.lists(st.tuples(estimates(), estimates()), min_size=1, max_size=10).map(
    lambda pairs: [Candidate(f"s{place}", usd, p95) for place, (usd, p95) in enumerate(pairs)]
)
ANY_STRATEGY = st.sampled_from(STRATEGIES)


@given(POINTS)
def test_a_dominated_point_is_never_on_the_frontier(points: list[tuple[float, float]]) -> None:
    for place in frontier(points):
        assert not any(dominates(other, points[place]) for other in points)


@given(POINTS)
def test_every_point_off_the_frontier_is_dominated_by_one_on_it(points: list[tuple[float, float]]) -> None:
    best = frontier(points)
    assert best
    for place in set(range(len(points))) - set(best):
        assert any(dominates(points[each], points[place]) for each in best)


@given(POINTS, st.tuples(SMALL, SMALL))
def test_a_further_point_removes_only_points_that_it_dominates(
    points: list[tuple[float, float]], further: tuple[float, float]
) -> None:
    before, after = ({place for place in frontier(each)} for each in (points, [*points, further]))
    for place in before - after:
        assert dominates(further, points[place])


@given(CONTENDERS)
def test_standings_agree_with_the_values_and_the_intervals(contenders: list[Candidate]) -> None:
    points = [(each.usd, each.p95_ms) for each in contenders]
    values = [(value_of(usd), value_of(p95)) for usd, p95 in points]
    for place, standing in enumerate(pareto_statuses(points)):
        assert (standing == "frontier") == (place in frontier(values))
        if standing == "dominated":
            assert any(
                all(intervals_below(a, b) for a, b in zip(other, points[place], strict=True)) for other in points
            )


@given(CONTENDERS, ANY_STRATEGY)
def test_what_is_recommended_is_on_the_frontier_under_every_strategy(
    contenders: list[Candidate], strategy: Strategy
) -> None:
    found = recommend(contenders, strategy, scope="overall")
    assert found is not None
    values = [(value_of(each.usd), value_of(each.p95_ms)) for each in contenders]
    assert contenders.index(found.choice) in frontier(values)


@given(CONTENDERS, ANY_STRATEGY)
def test_a_shown_recommendation_lies_apart_from_every_other_setting(
    contenders: list[Candidate], strategy: Strategy
) -> None:
    found = recommend(contenders, strategy, scope="overall")
    assert found is not None
    others = [each for each in contenders if each is not found.choice]
    apart = [intervals_below(found.choice.score(strategy), each.score(strategy)) for each in others]
    assert found.significant == (bool(others) and all(apart))
    assert len(found.indistinguishable) == apart.count(False)


@given(CONTENDERS, ANY_STRATEGY, st.randoms(use_true_random=False))
def test_the_order_of_the_settings_does_not_matter(
    contenders: list[Candidate], strategy: Strategy, random: object
) -> None:
    mixed = list(contenders)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = (recommend(each, strategy, scope="overall") for each in (contenders, mixed))
    assert first is not None
    assert second is not None
    assert (first.choice, sorted(first.indistinguishable)) == (second.choice, sorted(second.indistinguishable))
