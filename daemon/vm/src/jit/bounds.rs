//! How long a program can run, and where that has to be counted.
//!
//! If every loop is a counted one and the longest way through fits into the
//! budget, nothing is counted.  Else the loops without a proof are charged, and
//! those inside of them, and the functions that they call; what is left free
//! takes at most one budget more.
//!
//! A charge is the fewest instructions that can have been executed since the
//! last one, so compiled code never ends what the interpreter would finish.

use std::collections::BTreeMap;

use super::facts::Analysis;
use super::flow::Function;
use super::graph::{Graph, Loop, Node};
use super::trips::{self, Order, Trips};

/// Loops and blocks of loops that a function may have for them to be looked at.
const MAX_LOOPS: usize = 512;
const MAX_LOOP_BLOCKS: usize = 8_192;

/// A jump, by the instructions from which and to which it leads.
pub type Edge = (usize, usize);

/// What is known of the run time of a program.
#[derive(Default)]
pub struct Bounds {
    /// Instructions of the longest way through, if there is one.
    pub worst_case: Option<u64>,
    /// Whether anything is charged.
    pub metered: bool,
    /// What each way back that is charged costs.
    pub charges: BTreeMap<Edge, i64>,
    /// The blocks of each function, by its number.
    pub graphs: Vec<Graph>,
    /// Comparisons that may be made by order.
    pub orders: BTreeMap<usize, Order>,
}

/// One function while the bounds are looked for.
struct Candidate {
    graph: Graph,
    trips: Vec<Option<Trips>>,
    /// Instructions, with each loop that has no bound counted once.
    instructions: u64,
    /// Every loop has a bound, here and in what is called.
    proved: bool,
}

/// Bound the run time of all functions; `proved` is a bound that the verifier has found.
pub fn find(analysis: &mut Analysis<'_>, budget: u64, proved: Option<u64>) -> Bounds {
    let flow = analysis.flow;
    let mut candidates: Vec<Option<Candidate>> = flow.functions.iter().map(|_| None).collect();
    for number in &flow.callees_first {
        let candidate = candidate(analysis, &flow.functions[*number], &candidates);
        candidates[*number] = Some(candidate);
    }
    // Each function is called by another one, or is the program itself.
    let candidates: Vec<Candidate> = candidates.into_iter().flatten().collect();
    let mut bounds = meter(analysis, &candidates, budget, proved);
    let graphs = candidates.into_iter().map(|candidate| candidate.graph);
    bounds.graphs = graphs.collect();
    bounds
}

/// Decide what is counted.
fn meter(
    analysis: &Analysis<'_>,
    candidates: &[Candidate],
    budget: u64,
    proved: Option<u64>,
) -> Bounds {
    let flow = analysis.flow;
    let main = &candidates[0];
    let mut bounds = Bounds::default();
    if main.proved && !flow.recursive {
        bounds.worst_case = Some(main.instructions);
    }
    if let Some(most) = proved {
        bounds.worst_case = Some(bounds.worst_case.map_or(most, |own| own.min(most)));
    }
    for trips in candidates
        .iter()
        .flat_map(|candidate| candidate.trips.iter().flatten())
    {
        let (pc, order) = trips.compared;
        bounds.orders.extend(order.map(|order| (pc, order)));
    }
    if bounds.worst_case.is_some_and(|worst| worst <= budget) {
        return bounds;
    }
    bounds.metered = true;
    let everything = flow.recursive || main.instructions > budget || main.proved;
    let mut hot = vec![false; candidates.len()];
    for number in flow.callees_first.iter().rev() {
        let function = &flow.functions[*number];
        let candidate = &candidates[*number];
        let graph = &candidate.graph;
        let all = everything || hot[*number];
        let charged = charged(graph, &candidate.trips, all);
        for (pc, callee) in &function.calls {
            let block = graph.node_of(function.block_around(*pc));
            let mut loops = graph.loops.iter().zip(&charged);
            if all || graph.unstructured || loops.any(|(of, charged)| *charged && of.has(block)) {
                hot[flow.function_at(*callee).number] = true;
            }
        }
        charge(function, graph, &charged, &mut bounds.charges);
    }
    bounds
}

fn candidate(
    analysis: &mut Analysis<'_>,
    function: &Function,
    known: &[Option<Candidate>],
) -> Candidate {
    let mut graph = Graph::new(function);
    let blocks: usize = graph.loops.iter().map(|each| each.body.len()).sum();
    graph.unstructured |= graph.loops.len() > MAX_LOOPS || blocks > MAX_LOOP_BLOCKS;
    let trips: Vec<Option<Trips>> = if graph.unstructured {
        vec![None; graph.loops.len()]
    } else {
        let loops = graph.loops.iter();
        loops
            .map(|each| trips::rounds(analysis, function, &graph, each))
            .collect()
    };
    let mut proved = !graph.unstructured && trips.iter().all(Option::is_some);
    let size = |node: &Node| function.blocks[node.block].size as u64;
    let mut weights: Vec<u64> = graph.nodes.iter().map(size).collect();
    for (pc, callee) in &function.calls {
        // Of recursive functions one is not known yet; then all is charged anyway.
        let callee = known[analysis.flow.function_at(*callee).number].as_ref();
        proved &= callee.is_some_and(|callee| callee.proved);
        let weight = &mut weights[graph.node_of(function.block_around(*pc))];
        *weight = weight.saturating_add(callee.map_or(0, |callee| callee.instructions));
    }
    let instructions = longest(&graph, &trips, weights);
    Candidate {
        graph,
        trips,
        instructions,
        proved,
    }
}

/// The longest way through: loops are folded into their headers, inner ones first.
fn longest(graph: &Graph, trips: &[Option<Trips>], mut weights: Vec<u64>) -> u64 {
    let all: Vec<usize> = (0..graph.nodes.len()).collect();
    let mut reached = vec![0_u64; weights.len()];
    let mut way = |blocks: &[usize], weights: &[u64]| {
        let mut longest = 0;
        for block in blocks {
            let before = graph.before(*block).iter();
            let before = before.filter(|before| *before < block && *block != blocks[0]);
            let so_far = before.map(|before| reached[*before]).max().unwrap_or(0);
            reached[*block] = so_far.saturating_add(weights[*block]);
            longest = longest.max(reached[*block]);
        }
        longest
    };
    if graph.unstructured {
        return weights
            .iter()
            .fold(0, |sum: u64, weight| sum.saturating_add(*weight));
    }
    for (each, trips) in graph.loops.iter().zip(trips).rev() {
        let round = way(&each.body, &weights);
        for block in &each.body {
            weights[*block] = 0;
        }
        let rounds = trips.map_or(1, |trips| trips.rounds);
        weights[each.header] = round.saturating_mul(rounds);
    }
    way(&all, &weights)
}

/// Which loops are charged: those without a proof, and what is inside of them.
fn charged(graph: &Graph, trips: &[Option<Trips>], all: bool) -> Vec<bool> {
    let unproved: Vec<&Loop> = graph
        .loops
        .iter()
        .zip(trips)
        .filter_map(|(each, trips)| trips.is_none().then_some(each))
        .collect();
    let loops = graph.loops.iter();
    loops
        .map(|each| all || unproved.iter().any(|outer| outer.has(each.header)))
        .collect()
}

/// Charge ways back.
///
/// With d(pc) the fewest instructions from the start, no forward step raises d
/// by more than 1.  So what lies between two points is at least the difference
/// of their d, and a loop that goes from p back to t has executed at least
/// d(p) - d(t) + 1.  Where that is below 1 (a loop entered in its middle), all
/// ways back of the function cost 1 instead.
fn charge(function: &Function, graph: &Graph, charged: &[bool], charges: &mut BTreeMap<Edge, i64>) {
    let is_free = |from: usize, to: usize| {
        let mut loops = graph.loops.iter().zip(charged);
        let found = loops.find(|(each, _)| each.header == to && each.latches.contains(&from));
        !graph.unstructured && found.is_some_and(|(_, charged)| !charged)
    };
    let edges = graph.ways_back().filter(|(from, to)| !is_free(*from, *to));
    let mut costs: Vec<(Edge, i64)> = edges
        .map(|(from, to)| {
            let [from, to] = [from, to].map(|node| &function.blocks[graph.nodes[node].block]);
            let cost = from.distance_of_last() - to.distance + 1;
            ((from.last, to.first), cost)
        })
        .collect();
    if costs.iter().any(|(_, cost)| *cost < 1) {
        costs.iter_mut().for_each(|(_, cost)| *cost = 1);
    }
    charges.extend(costs);
}
