//! Measures this library and its peers in turns, and writes what came of it: see README.md.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use chatnio_benches::contender::{Contender, serve};
use chatnio_benches::contenders::{Input, named};
use chatnio_benches::groups::{self, Group, Task, Who};
use chatnio_benches::messages::Shape;
use chatnio_benches::python::{self, Interpreters};
use chatnio_benches::results::{Figure, GroupResult, Results, RowResult};
use chatnio_benches::world::{Scale, World, serve_firehose};
use chatnio_benches::{instructions, plots, report, rounds, series};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures this library and its peers in turns")]
enum Arguments {
    /// Measures everything
    Run(Run),
    /// Writes the tables and plots of what was measured before
    Report {
        #[command(flatten)]
        files: Files,
    },
    #[command(flatten)]
    Part(Part),
}

/// What `run` starts processes for.
#[derive(Subcommand)]
enum Part {
    /// Is one contender: works on one batch for each line of the input
    Contender {
        name: String,
        #[arg(long)]
        shape: String,
        #[arg(long)]
        chunks: usize,
        #[arg(long, default_value = "")]
        url: String,
        #[arg(long)]
        ca: Option<PathBuf>,
    },
    /// Is the firehose, until the input ends
    Firehose {
        #[arg(long)]
        chunks: usize,
    },
}

#[derive(clap::Args)]
struct Run {
    /// Everything once, in a small size, and nothing is written
    #[arg(long)]
    smoke: bool,
    /// Only groups whose name begins so (also python, series, memory); nothing is written without --save
    #[arg(long)]
    only: Option<String>,
    /// With --only: puts what was measured in its place among what was measured last
    #[arg(long, requires = "only")]
    save: bool,
    /// How often each is measured
    #[arg(long)]
    rounds: Option<usize>,
    /// Where the programs of other languages are
    #[arg(long, default_value = "target/benches")]
    folder: PathBuf,
    /// The C library's installed files
    #[arg(long, default_value = "target/installed")]
    installed: PathBuf,
    /// The Python that has this package
    #[arg(long)]
    python: Option<PathBuf>,
    /// The Python that has the official package
    #[arg(long)]
    peer_python: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
}

#[derive(clap::Args)]
struct Files {
    /// What was measured before
    #[arg(long, default_value = "benches/results/before.json")]
    before: PathBuf,
    /// What was measured last
    #[arg(long, default_value = "benches/results/now.json")]
    now: PathBuf,
    /// Where the tables are written to, and the plots in a folder beside it
    #[arg(long, default_value = "benches/RESULTS.md")]
    out: PathBuf,
}

/// How many bytes in memory callgrind is given in a batch: it takes fifty times as long.
const COUNTED: usize = 100_000;

fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments::Run(run) => measure(&run),
        Arguments::Report { files } => write(&files),
        Arguments::Part(part) => part.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatnio-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Part {
    fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Part::Firehose { chunks } => serve_firehose(chunks)?,
            Part::Contender { name, shape, chunks, url, ca } => {
                let shape = Shape::named(&shape).ok_or("no such shape")?;
                let ca = ca.map(fs::read_to_string).transpose()?;
                let input = Input { shape, chunks, url, ca };
                match named(&name, &input).ok_or("no such contender")? {
                    Contender::Here(batch) => serve(batch)?,
                    Contender::Apart(_) => return Err("it has a process of its own".into()),
                }
            }
        }
        Ok(())
    }
}

fn measure(run: &Run) -> Result<(), Box<dyn Error>> {
    let mut scale = if run.smoke { Scale::SMOKE } else { Scale::FULL };
    scale.rounds = run.rounds.unwrap_or(scale.rounds);
    let world = World::new(scale, &run.folder)?;
    let wanted = |id: &str| run.only.as_deref().is_none_or(|only| id.starts_with(only));
    let groups = groups::all();
    let names: Vec<_> = groups.iter().map(|group| group.id).chain(["python", "series", "memory"]).collect();
    if !names.iter().any(|name| wanted(name)) {
        return Err(format!("no group's name begins so: there are {}", names.join(", ")).into());
    }
    let mut results = Results { about: about(scale), ..Results::default() };
    for group in groups.iter().filter(|group| wanted(group.id)) {
        eprintln!("{}", group.title);
        results.groups.push(compare(group, &world)?);
    }
    if wanted("python") {
        match (&run.python, &run.peer_python) {
            (Some(ours), Some(official)) => {
                eprintln!("Python");
                let rounds = scale.rounds.div_ceil(8);
                results.groups.extend(python::measure(&world, Interpreters { ours, official }, rounds)?);
            }
            _ => println!("benches: left out: Python, for which no interpreters were given"),
        }
    }
    if wanted("series") {
        eprintln!("Series");
        let (series, figures) = series::measure(&world)?;
        results.series = series;
        results.figures = figures;
    }
    if wanted("memory") {
        eprintln!("Memory");
        results.figures.extend(memory(&world, run)?);
    }
    if run.smoke || (run.only.is_some() && !run.save) {
        println!("{}", report::write(None, &results));
        return Ok(());
    }
    if run.save {
        results = Results::read(&run.files.now)?.with(results);
    }
    if let Some(folder) = run.files.now.parent() {
        fs::create_dir_all(folder)?;
    }
    results.write(&run.files.now)?;
    write(&run.files)
}

fn write(files: &Files) -> Result<(), Box<dyn Error>> {
    let now = Results::read(&files.now)?;
    let before = Results::read(&files.before).ok();
    let text = report::write(before.as_ref(), &now);
    fs::write(&files.out, &text)?;
    plots::draw(before.as_ref(), &now, &files.out.with_file_name("plots"))?;
    println!("{text}");
    Ok(())
}

/// The machine, and the versions of what ran.
fn about(scale: Scale) -> Vec<(String, String)> {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned())
    };
    let says = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let facts = [
        ("machine", Some(format!("{cores} cores, {processor}"))),
        ("load before", load.split(' ').next().map(str::to_owned)),
        ("system", field("/etc/os-release", "PRETTY_NAME")),
        ("rustc", says("rustc", "--version")),
        ("cc", says("cc", "--version")),
        ("Go", says("go", "version")),
        ("Node.js", says("node", "--version")),
        (
            "commit",
            Command::new("git")
                .args(["log", "-1", "--format=%h %s"])
                .output()
                .ok()
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        ),
        ("rounds", Some(scale.rounds.to_string())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Measures a group.
fn compare(group: &Group, world: &World) -> Result<GroupResult, Box<dyn Error>> {
    let (mut rows, mut contenders) = (Vec::new(), Vec::new());
    for row in &group.rows {
        match row.start(group.task, world)? {
            Some(contender) => {
                rows.push(row);
                contenders.push(contender);
            }
            None => println!("benches: left out: {} ({})", row.title, group.title),
        }
    }
    let failed = |error| format!("{}: {error}", group.title);
    let measured = rounds::run(&mut contenders, world.scale.rounds).map_err(failed)?;
    let mut results = Vec::new();
    for (row, measured_row) in rows.iter().zip(&measured) {
        let is_counted = is_countable(row.who) && world.scale.rounds > 1;
        let instructions = if is_counted { count(row, group.task, world)? } else { None };
        results.push(RowResult {
            title: row.title.to_owned(),
            is_ours: row.is_ours,
            goal: row.goal,
            nanoseconds: measured_row.least(),
            ratio: measured_row.ratio_to(&measured[0]),
            instructions,
            peak_memory: measured_row.peak_memory.filter(|_| matches!(group.task, Task::Socket { .. })),
        });
    }
    Ok(GroupResult { id: group.id.to_owned(), title: group.title.to_owned(), rows: results })
}

/// A collector's or a just-in-time compiler's instructions are not those of the code; and what runs by a script, as Swift does,
/// callgrind does not follow.
fn is_countable(who: Who) -> bool {
    match who {
        Who::Rust(_) => true,
        Who::Program(name) => !name.starts_with("go-") && name != "client-swift",
        Who::Npm => false,
    }
}

fn count(row: &groups::Row, task: Task, world: &World) -> Result<Option<f64>, Box<dyn Error>> {
    let mut input = task.input(world);
    if let Task::Memory(_) = task {
        // Enough for a figure: counts do not scatter. At most all messages once, as a batch goes through all as often.
        let messages = input.shape.messages().len().min(input.chunks);
        input.chunks = (COUNTED / input.shape.message(1).len()).clamp(1, messages);
    }
    let command = || row.command(&input, world)?.ok_or_else(|| std::io::Error::other("no such program"));
    Ok(instructions::per_chunk(command, input.chunks)?)
}

/// What programs of their own say of memory, sizes and times.
fn memory(world: &World, run: &Run) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut figures = Vec::new();
    let program = std::env::current_exe()?.with_file_name("chatnio-bench-memory");
    if program.exists() {
        let mut command = Command::new(program);
        command.arg(&world.addresses.plain).arg(&world.addresses.tls).arg(world.ca_file());
        let count = if run.smoke { "100" } else { "100000" };
        let output = command.arg(count).arg(world.scale.socket.to_string()).output()?;
        if !output.status.success() {
            return Err(format!("the memory program: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        figures.extend(serde_json::from_slice::<Vec<Figure>>(&output.stdout)?);
    } else {
        println!("benches: left out: memory, whose program is not built");
    }
    let figure =
        |title: &str, goal, value, unit: &str| Figure { title: title.to_owned(), goal, value, unit: unit.to_owned() };
    let c_memory = world.folder.join("c-memory");
    if c_memory.exists() {
        let output = Command::new(c_memory).arg(world.messages(Shape::Usual)?).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [idle, token, chunk] = numbers[..] else { return Err("the C memory program has failed".into()) };
        figures.push(figure("an idle session of C, as malloc counts it", Some(1024.0), idle, "B"));
        figures.push(figure("... with a token of 200 bytes", Some(1024.0), token, "B"));
        figures.push(figure("allocations a chunk: C `chatnio_session_receive`", Some(0.0), round(chunk), ""));
    }
    for (library, goal) in [("libchatnio.so", 2_661_440.0), ("libchatnio-session.so", 491_456.0)] {
        let path = run.installed.join("lib").join(library);
        let Ok(size) = fs::metadata(&path) else {
            println!("benches: left out: {library}, which is not installed");
            continue;
        };
        figures.push(figure(&format!("size of {library}"), Some(goal), size.len() as f64, "B"));
        figures.extend(start(&world.folder.join("start"), &path, library, world.scale.rounds)?);
    }
    Ok(figures)
}

/// To five digits behind the point, below which it is nothing.
fn round(value: f64) -> f64 {
    if value < 0.001 { 0.0 } else { value }
}

/// How long loading a library and a first session take.
fn start(program: &Path, library: &Path, name: &str, rounds: usize) -> Result<Option<Figure>, Box<dyn Error>> {
    if !program.exists() {
        return Ok(None);
    }
    let mut times = Vec::new();
    for _ in 0..rounds {
        let output = Command::new(program).arg(library).output()?;
        times.push(String::from_utf8_lossy(&output.stdout).trim().parse::<f64>()? / 1e6);
    }
    let value = rounds::Ratio::of(times).median;
    let title = format!("loading {name} and a first session, median");
    Ok(Some(Figure { title, goal: Some(1.0), value, unit: "ms".to_owned() }))
}
