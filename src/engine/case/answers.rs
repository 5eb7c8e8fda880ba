//! What a case asks, and what it makes of the answers.

use std::time::Instant;

use super::{Answer, Case, Halt, TOGETHER};
use crate::engine::ask::{Asked, Question};
use crate::engine::expect::Seen;
use crate::engine::facts::{self, Repository};
use crate::engine::judge::Found;
use crate::engine::keep;
use crate::engine::outcome::StepExchange;
use crate::engine::window::Window;
use crate::suite::requirement::Level;
use crate::wire::{Exchange, FailureKind};

impl Case {
    /// Asks questions that do not depend on each other, several at once, and takes their answers in order.
    pub(in crate::engine) async fn ask(&mut self, questions: Vec<Question>) -> Result<Vec<Answer>, Halt> {
        let sender = self.run.sender.clone();
        let mut answers = Vec::with_capacity(questions.len());
        let mut halt = None;
        // Some at a time: their answers are held whole until they are judged.
        for some in questions.chunks(TOGETHER) {
            self.facts.sends();
            let asked = futures_util::future::join_all(some.iter().map(|question| sender.ask(question))).await;
            for (question, asked) in some.iter().zip(asked) {
                match asked {
                    Ok(asked) => match self.take(question, asked).await {
                        Ok(answer) => answers.push(answer),
                        Err(why) => halt = halt.or(Some(why)),
                    },
                    Err(error) => halt = halt.or(Some(self.unwritten(&error))),
                }
            }
            if halt.is_some() {
                break;
            }
        }
        halt.map_or(Ok(answers), Err)
    }

    /// Ends the case where an answer's status broke a must.
    pub(in crate::engine) fn must_hold(answers: &[Answer]) -> Result<(), Halt> {
        if answers.iter().any(|a| a.broken == Some(Level::Must)) { Err(Halt::Meaningless) } else { Ok(()) }
    }

    pub(in crate::engine) fn unwritten(&self, error: &std::io::Error) -> Halt {
        self.unusable(format!("the journal cannot be written ({error}), so nothing is created"))
    }

    /// Takes one answer: records it, judges it, and asks again within a window where it is a read that came too early.
    pub(in crate::engine) async fn take(&mut self, question: &Question, asked: Asked) -> Result<Answer, Halt> {
        self.remember(question, &asked);
        let status = asked.status();
        let mut found = self.judge(question, std::slice::from_ref(&asked), None);
        self.push(&question.label, asked.exchange.clone(), asked.located.clone());
        // Of a push only its Location is looked at again.
        let may_come = question.reads
            || asked.located.is_some() && found.mismatches.iter().any(|mismatch| mismatch.key == "location");
        if found.may_come_right()
            && may_come
            && status.is_some_and(|s| s < 500)
            && let Some(mut window) = self.patience(question, asked.exchange.begun)
        {
            while window.opens(&self.run.sender.stop).await {
                let Ok(later) = self.run.sender.look_again(question, &asked).await else { break };
                let again = self.judge(question, std::slice::from_ref(&later), None);
                if !again.may_come_right() {
                    found.came_right(again, window.since.elapsed().as_secs_f64());
                    self.push(&format!("{} (again)", question.label), later.exchange, later.located);
                    break;
                }
            }
        }
        let broken = found.broken;
        self.keep(found);
        if let Some(halt) = self.no_answer(question, &asked) {
            return Err(halt);
        }
        Ok(Answer { status, broken })
    }

    /// Adds what was found.
    pub(in crate::engine) fn keep(&mut self, found: Found) {
        self.mismatches.extend(found.mismatches);
        self.observed.extend(found.observed);
    }

    /// Records an exchange, and says its index.
    pub(in crate::engine) fn push(&mut self, label: &str, exchange: Exchange, located: Option<Exchange>) {
        if let (Some(name), Some(response)) = (&self.step_name, exchange.response()) {
            self.named.insert(name.clone(), Seen::of(response));
        }
        self.push_unnamed(label, exchange);
        if let Some(exchange) = located {
            self.push_unnamed(&format!("{label}: its Location"), exchange);
        }
    }

    /// Records an exchange that no later step can compare with.
    pub(in crate::engine) fn push_unnamed(&mut self, label: &str, mut exchange: Exchange) {
        keep::trim(&mut exchange);
        self.exchanges.push(StepExchange { step: self.step, label: label.to_owned(), exchange, lane: None });
    }

    /// Remembers what has to be removed after the case.
    pub(in crate::engine) fn remember(&mut self, question: &Question, asked: &Asked) {
        // What was refused, or never sent, is not there; whatever else came, it may be.
        let unsent = matches!(&asked.exchange.result, Err(failure) if is_unsent(failure.kind));
        if !facts::is_no(asked.status()) && !unsent {
            for thing in &question.creates {
                if !self.created.contains(thing) {
                    self.created.push(thing.clone());
                }
            }
        }
        if let Some(thing) = question.removes.as_ref().filter(|_| facts::is_yes(asked.status())) {
            self.created.retain(|other| other != thing);
        }
    }

    /// Whether a read may find what a deletion is still to take: its window is open.
    pub(in crate::engine) fn may_be_going(&self, nickname: &str) -> bool {
        let deleted = self.facts.of(nickname).and_then(|facts| facts.deleted);
        deleted.is_some_and(|since| since.elapsed() < self.run.options.delete_window)
    }

    /// The window in which an answer that was asked for at this moment may still show what was before.
    pub(in crate::engine) fn patience(&self, question: &Question, asked: Instant) -> Option<Window> {
        let options = &self.run.options;
        let facts = self.facts.of(&question.repository);
        let windows = if question.reads {
            let at = |of: fn(&Repository) -> Option<Instant>| facts.and_then(of);
            vec![(at(|facts| facts.written), options.read_window), (at(|facts| facts.deleted), options.delete_window)]
        } else {
            vec![(Some(Instant::now()), options.read_window)]
        };
        let open = windows.into_iter().filter_map(|(since, window)| Window::of(since?, window));
        open.filter(|window| !question.reads || window.deadline > asked).max_by_key(|window| window.deadline)
    }
}

/// Whether a failure of this kind comes before the request does.
fn is_unsent(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Connect | FailureKind::Tls | FailureKind::Auth)
}
