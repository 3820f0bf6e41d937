//! The queue between a connection's reader and its request loop, with all the real server's quirks
//! (protocol.md, R2.29).

use std::collections::VecDeque;

use crate::form::RequestForm;

/// How many requests the queue holds; one more silently evicts the oldest (protocol.md, R2.35).
pub(crate) const CAPACITY: usize = 10;

/// What the server peeks for while an answer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopWords {
    /// 2023: only `stop` (protocol.md, R2.34).
    Stop,
    /// 2024 and 2026: `stop` and `remove`.
    StopOrRemove,
}

/// Requests in the order in which the request loop will take them. `None` is the mark that the
/// reader leaves when it ends.
#[derive(Default)]
pub(crate) struct Queue(VecDeque<Option<RequestForm>>);

impl Queue {
    /// Appends a request; true when the oldest had to go for it.
    pub(crate) fn push(&mut self, form: Option<RequestForm>) -> bool {
        let full = self.0.len() == CAPACITY;
        if full {
            self.0.pop_front();
        }
        self.0.push_back(form);
        full
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the head.
    pub(crate) fn pop(&mut self) -> Option<Option<RequestForm>> {
        self.0.pop_front()
    }

    /// Looks whether the head is a stop (protocol.md, R2.30), and if so drops the head.
    ///
    /// The server takes the head out, then moves the first half of the others behind the rest in an
    /// attempt to put the head back in front. With two others or more the order changes, and what it
    /// drops afterwards is whatever stands at the head by then: the stop itself stays in the queue
    /// (protocol.md, R2.32 and R2.33).
    pub(crate) fn peek_stop(&mut self, words: StopWords) -> bool {
        let Some(head) = self.0.pop_front() else {
            return false;
        };
        let found = head.as_ref().is_some_and(|form| match words {
            StopWords::Stop => form.kind == "stop",
            StopWords::StopOrRemove => form.kind == "stop" || form.kind == "remove",
        });
        let moved = self.0.len().div_ceil(2);
        self.0.rotate_left(moved);
        let at = self.0.len() - moved;
        self.0.insert(at, head);
        if found {
            self.0.pop_front();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: &str) -> Option<RequestForm> {
        Some(RequestForm { kind: kind.to_owned(), ..RequestForm::default() })
    }

    fn queue(kinds: &str) -> Queue {
        let mut queue = Queue::default();
        for kind in kinds.split_whitespace() {
            queue.push(form(kind));
        }
        queue
    }

    fn kinds(queue: &mut Queue) -> String {
        let mut kinds = Vec::new();
        while let Some(form) = queue.pop() {
            kinds.push(form.map_or_else(|| "-".to_owned(), |form| form.kind));
        }
        kinds.join(" ")
    }

    #[test]
    fn the_eleventh_request_evicts_the_oldest() {
        let mut queue = queue("a b c d e f g h i j");
        assert!(queue.push(form("k")));
        assert_eq!(kinds(&mut queue), "b c d e f g h i j k");
        assert!(!queue.push(None));
    }

    #[test]
    fn peeking_reorders_three_or_more() {
        for (before, after) in [
            ("", ""),
            ("a", "a"),
            ("a b", "a b"),
            ("a b c", "c a b"),
            ("a b c d", "d a b c"),
            ("a b c d e", "d e a b c"),
        ] {
            let mut queue = queue(before);
            assert!(!queue.peek_stop(StopWords::StopOrRemove));
            assert_eq!(kinds(&mut queue), after);
        }
    }

    #[test]
    fn a_stop_is_seen_only_at_the_head() {
        let words = StopWords::StopOrRemove;
        let mut hidden = queue("chat stop");
        assert!(!hidden.peek_stop(words));
        assert_eq!(kinds(&mut hidden), "chat stop");
        let mut head = queue("stop chat");
        assert!(head.peek_stop(words));
        assert_eq!(kinds(&mut head), "chat");
    }

    #[test]
    fn a_question_behind_two_stops_or_more_is_dropped() {
        for (before, after) in
            [("stop chat", "chat"), ("stop stop chat", "stop stop"), ("stop stop stop chat", "stop stop stop")]
        {
            let mut queue = queue(before);
            assert!(queue.peek_stop(StopWords::StopOrRemove));
            assert_eq!(kinds(&mut queue), after, "{before} (R5.5)");
        }
    }

    #[test]
    fn the_wrong_request_is_dropped_when_three_wait() {
        let mut queue = queue("stop a b");
        assert!(queue.peek_stop(StopWords::StopOrRemove));
        assert_eq!(kinds(&mut queue), "stop a");
    }

    #[test]
    fn a_remove_is_a_stop_but_not_in_2023() {
        assert!(queue("remove").peek_stop(StopWords::StopOrRemove));
        assert!(!queue("remove").peek_stop(StopWords::Stop));
        assert!(queue("stop").peek_stop(StopWords::Stop));
        let mut ended = Queue::default();
        ended.push(None);
        assert!(!ended.peek_stop(StopWords::Stop));
    }
}
