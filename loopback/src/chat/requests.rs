//! The reader and the request loop of a connection.

use super::{Chat, Output, Poller, Stage, TICK};
use crate::answer::Answer;
use crate::conversation::{parse_edit, parse_index};
use crate::form::{AuthForm, RequestForm, parse_mask};
use crate::frame::Frame;
use crate::generation::Generation;
use crate::plan::{Access, Ending, Plan};
use crate::quota;

/// The longest question that is answered, in bytes (protocol.md, R2.14). Real servers answer 5.6 MB and not 20 MB.
const LONGEST_QUESTION: usize = 10_000_000;

impl Chat {
    // The reader.

    pub(super) fn authenticate(&mut self, text: &str) {
        // No reply, good or bad (protocol.md, R1.7, R1.8 and R1.9).
        let Ok(form) = AuthForm::parse(text) else {
            if self.options.generation == Generation::G2023 {
                self.stage = Stage::Deaf;
            } else {
                self.drop_socket();
            }
            return;
        };
        // A tolerated prefix (protocol.md, R1.5).
        let token = form.token.trim();
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        if self.world.is_broken(&form.reference) {
            // What was shared is looked up beyond its end (protocol.md, R2.28).
            self.drop_socket();
            return;
        }
        let named = !token.is_empty() && token != "anonymous";
        let good = named && self.options.accepts(token);
        self.conversation = self.world.open(good.then(|| token.to_owned()), form.id, &form.reference);
        self.stage = Stage::Open;
        self.world.count(|stats| {
            stats.authentications += 1;
            stats.anonymous += u64::from(!good);
        });
    }

    pub(super) fn enqueue(&mut self, text: &str) {
        match RequestForm::parse(self.options.generation, text) {
            Ok(form) => {
                let stop = form.kind == "stop";
                let evicted = self.queue.push(Some(form));
                self.world.count(|stats| {
                    stats.requests += 1;
                    stats.stops_received += u64::from(stop);
                    stats.evicted += u64::from(evicted);
                });
            }
            // Not JSON, or a wrong type (protocol.md, R2.11).
            Err(_) => self.drop_socket(),
        }
    }

    pub(super) fn drop_socket(&mut self) {
        if self.stage == Stage::Dropped {
            return;
        }
        self.stage = Stage::Dropped;
        self.outputs.push_back(Output::Drop);
        self.world.count(|stats| stats.drops += 1);
        // 2023's reader leaves no mark: its request loop waits for ever.
        if self.options.generation != Generation::G2023 {
            self.queue.push(None);
        }
    }

    // The request loop.

    /// Takes requests from the queue until one of them is being answered.
    pub(super) fn serve(&mut self) {
        while self.stored_due().is_some_and(|due| due <= self.now) {
            match self.queue.pop() {
                Some(Some(form)) => self.handle(form),
                Some(None) => self.loop_ended = true,
                None => break,
            }
        }
    }

    fn handle(&mut self, form: RequestForm) {
        let old = self.options.generation == Generation::G2023;
        match form.kind.as_str() {
            // An empty one is never answered (protocol.md, R2.13).
            "chat" if !form.message.is_empty() => {
                self.conversation.apply(&form);
                self.conversation.add("user", form.message);
                self.store();
                self.start(false);
            }
            // Nothing runs, and there is no reply of its own (protocol.md, R2.19 and R5.4).
            "stop" => self.world.count(|stats| stats.stops_idle += 1),
            "restart" if old => self.restart_2023(),
            "restart" => {
                self.conversation.apply(&form);
                self.start(true);
            }
            // None of these is answered (protocol.md, R2.24).
            // A real server's process can end with it (protocol.md, R2.28). Here one connection does.
            "share" if self.world.is_broken(&form.message) => self.drop_socket(),
            "share" => {
                if !self.conversation.shared
                    && let Some(messages) = self.world.shared(&form.message)
                {
                    self.conversation.insert_front(messages);
                    self.conversation.shared = true;
                    self.store();
                }
            }
            "mask" => self.conversation.insert_front(parse_mask(&form.message)),
            "edit" if !old => match parse_edit(&form.message) {
                Some((index, text)) => {
                    self.conversation.edit(index, text);
                    self.store();
                }
                // Nothing is answered any more (protocol.md, R2.27).
                None => self.loop_ended = true,
            },
            "remove" if !old => match parse_index(&form.message) {
                Some(index) => {
                    self.conversation.remove(index);
                    self.store();
                }
                None => self.loop_ended = true,
            },
            // An unknown type, without a word (protocol.md, R2.1).
            _ => {}
        }
    }

    /// Stores the conversation. The request loop does nothing else meanwhile.
    pub(super) fn store(&mut self) {
        self.world.save(&self.conversation);
        let writes = u32::from(self.conversation.owner.is_some());
        self.stored = self.stored.max(self.now).saturating_add(self.storage.time(writes));
    }

    /// 2023 takes the last answer back, and its request loop dies when the last message is none (protocol.md, R2.16,
    /// R2.17 and R2.18).
    fn restart_2023(&mut self) {
        let last = self.conversation.messages.pop();
        if last.is_some_and(|message| message.role == "assistant") {
            self.start(true);
        } else {
            self.send_end("Hello, How can I assist you?");
            self.loop_ended = true;
        }
    }

    /// Begins an answer, with the web search if there is one.
    fn start(&mut self, restart: bool) {
        let generation = self.options.generation;
        let mut due = self.stored.max(self.now);
        // Before the opener, and without a look at the queue (protocol.md, R3.17).
        if self.conversation.web {
            if self.conversation.segment(generation, restart).is_empty() {
                // The search looks for a question and finds none: the server answers nothing at all
                // (protocol.md, R2.17).
                self.save(String::new());
                return;
            }
            due += self.options.paced(self.options.web_search);
        }
        self.answers += 1;
        self.answer = Some(Answer::new(self.answers, generation, restart, due));
    }

    /// Sends the opener and asks the model.
    pub(super) fn open(&mut self, mut answer: Answer) {
        let generation = self.options.generation;
        let keyed = self.conversation.owner.is_some();
        // The opener (protocol.md, R3.11).
        if generation != Generation::G2023 {
            self.send(&Frame { conversation: self.conversation.id, ..Frame::default() });
            self.world.count(|stats| stats.openers += 1);
        }
        let segment = self.conversation.segment(generation, answer.restart);
        let question = segment.iter().rfind(|message| message.role == "user");
        let question = question.map_or("", |message| message.content.as_str());
        let model = model_name(generation, &self.conversation.model, question);
        let plan = match self.options.plans.get(model) {
            Some(plan) => plan.clone(),
            None => Plan::named(model, generation, question, &self.conversation.parameters),
        };
        let refused = match &plan.access {
            Access::Anyone => None,
            _ if !keyed => Some(Plan::not_authenticated(generation, model)),
            Access::Keyed => None,
            Access::Refused(notice) => Some(notice.clone()),
        };
        if let Some(notice) = refused {
            self.send_end(&notice);
            self.save(notice);
            return;
        }
        let plan = if question.len() > LONGEST_QUESTION {
            Plan { pieces: Vec::new(), ..plan }.ending(Ending::Silent)
        } else if segment.is_empty() {
            // The upstream refuses a request without messages (protocol.md, R2.17).
            let notice = Ending::Notice("request failed with status code: 500".to_owned());
            Plan { pieces: Vec::new(), ..plan }.ending(notice)
        } else {
            plan
        };
        let input = (keyed && !plan.free).then(|| quota::input(generation, segment));
        if generation == Generation::G2023 && self.conversation.web {
            let keyword = question.to_owned();
            self.send(&Frame { keyword: &keyword, ..Frame::default() });
        }
        let wait = answer.ask(plan, input);
        answer.due = Some(self.now.saturating_add(self.options.paced(wait)));
        if generation == Generation::G2026 {
            let tick = self.now + TICK;
            self.pollers.push(Poller { answer: answer.number, tick, unread: 0 });
        }
        self.answer = Some(answer);
    }
}

/// The fake model that is meant. 2023 knew few models, so there the question's first word may name
/// one: `@slow hi`.
fn model_name<'a>(generation: Generation, model: &'a str, question: &'a str) -> &'a str {
    let first = question.split_whitespace().next().and_then(|word| word.strip_prefix('@'));
    match first {
        Some(name) if generation == Generation::G2023 && !name.is_empty() => name,
        _ => model,
    }
}
