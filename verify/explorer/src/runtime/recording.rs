//! The journal of a run: its graph, as data that outlives it.

use super::state::State;
use crate::event::{Event, Id, Kind};
use crate::journal::{Action, EventId, Journal, JournalEvent, ModificationOrder, Source};
use crate::place::Place;

impl Journal {
    pub(crate) fn of(state: &State) -> Journal {
        let graph = &state.graph;
        let count = graph.threads.iter().rposition(|events| !events.is_empty()).map_or(0, |last| last + 1);
        // An RMW is one event of the journal, so indices shift.
        let indices: Vec<Vec<usize>> = graph.threads[..count]
            .iter()
            .map(|events| {
                let mut shown = 0;
                let index_of = |event: &Event| {
                    shown += usize::from(event.kind != Kind::RmwWrite);
                    shown - 1
                };
                events.iter().map(index_of).collect()
            })
            .collect();
        let index_of = |id: Id| indices[id.thread as usize][id.index as usize];
        let name = |id: Id| EventId { thread: id.thread as usize, index: index_of(id) };
        let source = |id: Id| if id.is_initial() || !graph.has(id) { Source::Initial } else { Source::Write(name(id)) };
        let action = |event: &Event| match event.kind {
            Kind::Begin => Action::Begin,
            Kind::End => Action::End,
            Kind::Load => Action::Load { value: event.read, source: source(event.source) },
            Kind::Store => Action::Store { value: event.written },
            Kind::RmwRead | Kind::RmwWrite => Action::Rmw {
                name: event.op.name(),
                read: event.read,
                source: source(event.source),
                written: event.apply(event.read, event.variant),
            },
            Kind::Fence => Action::Fence,
            Kind::Spawn => Action::Spawn { thread: event.detail as usize },
            Kind::Join => Action::Join { thread: event.detail as usize },
            Kind::Wake => Action::Wake { source: source(event.source) },
            Kind::Block => Action::Block,
            Kind::Yield => Action::Yield,
            Kind::Lift => Action::Lift,
            Kind::Choice => Action::Choice { chosen: event.detail as usize, among: event.op.operands()[0] as usize },
        };
        let entry = |thread: usize, index: usize, event: &Event| JournalEvent {
            id: name(Id::new(thread, index)),
            action: action(event),
            location: event.is_access().then_some(event.location as usize),
            ordering: event.effective_order(),
            place: Place::new(event.place),
            stamp: event.stamp as usize,
        };
        let threads = graph.threads[..count].iter().enumerate().map(|(thread, events)| {
            let shown = events.iter().enumerate().filter(|(_, event)| event.kind != Kind::RmwWrite);
            shown.map(|(index, event)| entry(thread, index, event)).collect()
        });
        let orders = graph.written_locations().into_iter().map(|order| ModificationOrder {
            location: order.location as usize,
            initial: order.initial,
            place: Place::new(state.made[order.location as usize].place),
            writes: order.writes.iter().map(|&write| name(write)).collect(),
        });
        let names = state.names[..count].to_vec();
        Journal { threads: threads.collect(), names, modification_orders: orders.collect() }
    }
}
