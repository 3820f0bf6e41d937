//! The commands that make companion calls: stored conversations, quota, models, whether a key is good.

mod failure;
mod table;

use std::io::{self, BufRead, IsTerminal, Write};

use chatnio::rest::{self, Charge, Client, ClientError, Conversation, Error, Model};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::args::{CONFIGURATION, ConnectionArgs, ENVIRONMENT, QuestionArgs, STATUSES};
use crate::interrupt::Interrupts;
use crate::output::{self, printable};
use crate::settings::Settings;
use crate::status::{Failure, Status};
use crate::target::Target;
use table::Table;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the stored conversations, newest first.
    ///
    /// `ask` and `chat` continue one by `--conversation ID`.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Conversations(PlainArgs),
    /// Print a stored conversation.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Show(ShowArgs),
    /// Delete a stored conversation, for good. Asks first.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Delete(DeleteArgs),
    /// Print the quota that is left.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Quota(PlainArgs),
    /// List the models, with their prices where the server tells them.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Models(PlainArgs),
    /// Find out whether the key is good, and whose it is.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Check(PlainArgs),
}

#[derive(Args)]
pub(crate) struct PlainArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print JSON
    #[arg(long, help_heading = "Output")]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    plain: PlainArgs,
    /// The conversation's id, as `conversations` lists it
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    id: i64,
}

#[derive(Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    show: ShowArgs,
    /// Delete without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(command: &Command) -> Result<Status, Failure> {
    match command {
        Command::Conversations(args) => conversations(args),
        Command::Show(args) => show(args),
        Command::Delete(args) => delete(args),
        Command::Quota(args) => quota(args),
        Command::Models(args) => models(args),
        Command::Check(args) => check(args),
    }
}

fn conversations(args: &PlainArgs) -> Result<Status, Failure> {
    let (client, _target) = client(args)?;
    let list = client.call(&rest::conversations())?;
    if args.json {
        return print_json(&list);
    }
    let mut table = Table::new([("ID", true), ("NAME", false)]);
    for conversation in &list {
        table.row([conversation.id.to_string(), conversation.name.clone()]);
    }
    print(&table.to_string())
}

fn show(args: &ShowArgs) -> Result<Status, Failure> {
    let (client, _target) = client(&args.plain)?;
    let conversation = client.call(&rest::conversation(args.id))?;
    if args.plain.json {
        return print_json(&conversation);
    }
    print(&as_text(&conversation))
}

fn as_text(conversation: &Conversation) -> String {
    let mut text = format!("conversation {}: {}\n", conversation.id, one_line(&conversation.name));
    for message in conversation.messages.iter().flatten() {
        text += &format!("\n{}:\n{}\n", message.role, message.content.trim_end_matches('\n'));
    }
    text
}

fn delete(args: &DeleteArgs) -> Result<Status, Failure> {
    let (id, plain) = (args.show.id, &args.show.plain);
    if !args.yes && !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "delete asks first, and nobody is there to answer: say --yes to delete without asking",
        ));
    }
    let (client, _target) = client(plain)?;
    if !args.yes {
        let name = client.call(&rest::conversation(id))?.name;
        if !confirmed(&format!("Delete conversation {id} ({}) for good?", one_line(&name))) {
            return Ok(Status::Done);
        }
    }
    client.call(&rest::delete_conversation(id))?;
    if plain.json { print_json(&json!({ "deleted": id })) } else { Ok(Status::Done) }
}

/// Asks on the terminal. Only a yes is one.
fn confirmed(question: &str) -> bool {
    let _ = write!(io::stderr(), "{} [y/N] ", printable(question));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn quota(args: &PlainArgs) -> Result<Status, Failure> {
    let (client, _target) = client(args)?;
    let quota = client.call(&rest::quota())?;
    if args.json { print_json(&json!({ "quota": quota })) } else { print(&format!("{quota}\n")) }
}

fn models(args: &PlainArgs) -> Result<Status, Failure> {
    let (client, _target) = client(args)?;
    let models = client.call(&rest::models())?;
    let charges = match client.call(&rest::charges()) {
        Ok(charges) => charges,
        // A server of 2023 has no such call.
        Err(ClientError::Answer(Error::NoSuchCall { .. })) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let charge_of = |model: &Model| charges.iter().find(|charge| charge.models.contains(&model.id));
    if args.json {
        let mut list = serde_json::to_value(&models).unwrap_or_default();
        for (item, model) in list.as_array_mut().into_iter().flatten().zip(&models) {
            item["charge"] = json!(charge_of(model));
        }
        return print_json(&list);
    }
    let mut table = Table::new([("MODEL", false), ("PRICE", false)]);
    for model in &models {
        table.row([model.id.clone(), charge_of(model).map_or_else(String::new, price)]);
    }
    print(&table.to_string())
}

/// What a model costs, in words.
fn price(charge: &Charge) -> String {
    let Charge { input, output, .. } = charge;
    match charge.kind.as_str() {
        "non-billing" => "free".to_owned(),
        "times-billing" => format!("{output} a question"),
        "token-billing" => format!("{input} in, {output} out, for 1000 tokens"),
        kind => format!("{input} in, {output} out ({kind})"),
    }
}

/// A key that is not good is what was asked for: it is told on stdout, too.
fn check(args: &PlainArgs) -> Result<Status, Failure> {
    let (client, _target) = client(args)?;
    let quota = match client.call(&rest::quota()) {
        Ok(quota) => quota,
        Err(ClientError::Answer(error @ (Error::BadKey { .. } | Error::NoKey { .. } | Error::BlackListed { .. })))
            if args.json =>
        {
            print_json(&json!({ "good": false, "error": error.code(), "words": error.words() }))?;
            return Ok(Status::Notice);
        }
        Err(error) => return Err(error.into()),
    };
    // Not every server says whose it is.
    let user = match client.call(&rest::user()) {
        Ok(user) => Some(user),
        Err(ClientError::Answer(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if args.json {
        let name = user.as_ref().map(|user| &user.name);
        return print_json(&json!({ "good": true, "quota": quota, "user": name }));
    }
    let whose = user.map_or_else(String::new, |user| format!(" of user {}", one_line(&user.name)));
    print(&format!("the key{whose} is good, with a quota of {quota}\n"))
}

/// The client, and what must live as long.
fn client(args: &PlainArgs) -> Result<(Client, Target), Failure> {
    let settings = Settings::new(&args.connection, &QuestionArgs::default(), &Interrupts::install()?)?;
    let mut target = Target::new(&args.connection, &settings)?;
    let client = target.rest()?;
    Ok(match settings.timeout {
        Some(limit) => (client.within(limit), target),
        None => (client, target),
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn print_json(value: &impl Serialize) -> Result<Status, Failure> {
    let json = serde_json::to_string(value).map_err(|error| Failure::new(Status::Output, error.to_string()))?;
    write(&format!("{json}\n"))
}

/// Prints a text, without what could drive a terminal.
fn print(text: &str) -> Result<Status, Failure> {
    write(&printable(text))
}

fn write(text: &str) -> Result<Status, Failure> {
    match output::write(text) {
        Ok(()) => Ok(Status::Done),
        Err(error) => Failure::output(&error).map_or(Ok(Status::Done), Err),
    }
}
