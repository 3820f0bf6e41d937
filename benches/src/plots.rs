//! The plots, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::results::{GroupResult, Results};

const SIZE: (u32, u32) = (900, 480);
const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const PEER: RGBColor = RGBColor(0xaa, 0xaa, 0xaa);

/// A plot of lines.
pub struct Plot {
    /// Its file, and what its series' names begin with.
    pub id: &'static str,
    /// What its axis shows.
    pub x: &'static str,
}

/// All plots of lines.
pub const PLOTS: [Plot; 4] = [
    Plot { id: "size", x: "bytes of text in a chunk" },
    Plot { id: "chunks", x: "chunks of an answer" },
    Plot { id: "sessions", x: "sessions in turns" },
    Plot { id: "connections", x: "connections in one thread" },
];

/// What the names of old lines end with.
const BEFORE: &str = ", before";

/// Points of x and y.
type Points = [(f64, f64)];

/// Draws all plots into a folder.
///
/// # Errors
/// When one cannot be drawn or written.
pub fn draw(before: Option<&Results>, now: &Results, folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for group in &now.groups {
        bars(group, before.and_then(|before| before.group(&group.id)), &folder.join(format!("{}.svg", group.id)))?;
    }
    for Plot { id, x } in PLOTS {
        let series = |results: &Results, when: &str| -> Vec<(String, Vec<(f64, f64)>)> {
            let named = results
                .series
                .iter()
                .filter_map(|(name, points)| Some((name.strip_prefix(id)?.strip_prefix(' ')?, points)));
            named.map(|(name, points)| (format!("{name}{when}"), points.clone())).collect()
        };
        let mut all = series(now, "");
        if let Some(before) = before {
            let ours = series(before, BEFORE);
            all.extend(ours.into_iter().filter(|(name, _)| name.starts_with('`')));
        }
        if !all.is_empty() {
            lines(&all, x, &folder.join(format!("{id}.svg")))?;
        }
    }
    Ok(())
}

/// Ratios to the first row, one bar each.
fn bars(group: &GroupResult, before: Option<&GroupResult>, path: &Path) -> Result<(), Box<dyn Error>> {
    let rows = &group.rows;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let old = |title: &str| before.and_then(|before| before.row(title)).map_or(0.0, |row| row.ratio.median);
    let most = rows.iter().map(|row| row.ratio.median.max(old(&row.title))).fold(0.0, f64::max);
    let count = i32::try_from(rows.len())?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{}: ratio to the first (pale: before)", group.title.replace('`', "")), ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(370)
        .build_cartesian_2d(0.0..most * 1.1, (0..count).into_segmented())?;
    let name = |at: &SegmentValue<i32>| match at {
        SegmentValue::CenterOf(at) | SegmentValue::Exact(at) => {
            let row = usize::try_from(count - 1 - at).ok().and_then(|at| rows.get(at));
            row.map_or(String::new(), |row| row.title.replace('`', ""))
        }
        SegmentValue::Last => String::new(),
    };
    chart.configure_mesh().disable_y_mesh().y_labels(rows.len()).y_label_formatter(&name).draw()?;
    for (which, row) in rows.iter().enumerate() {
        let at = count - 1 - i32::try_from(which)?;
        let (from, to) = (SegmentValue::Exact(at), SegmentValue::Exact(at + 1));
        let color = if row.is_ours { OURS } else { PEER };
        let was = old(&row.title);
        if was > 0.0 && row.is_ours {
            chart.draw_series([Rectangle::new([(0.0, from.clone()), (was, to.clone())], color.mix(0.25).filled())])?;
        }
        let mut bar = Rectangle::new([(0.0, from), (row.ratio.median, to)], color.filled());
        bar.set_margin(8, 8, 0, 0);
        chart.draw_series([bar])?;
    }
    root.present()?;
    Ok(())
}

/// Lines over two axes that are logarithmic.
fn lines(all: &[(String, Vec<(f64, f64)>)], x: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || all.iter().flat_map(|(_, points)| points.iter().copied());
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)))
    };
    let (left, right) = span(&mut points().map(|(x, _)| x));
    let (low, high) = span(&mut points().map(|(_, y)| y));
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((left..right).log_scale(), (low * 0.7..high * 1.4).log_scale())?;
    chart.configure_mesh().x_desc(x).y_desc("ns a chunk").draw()?;
    for (name, points) in all {
        // What was before has the same color, paler.
        let now = name.strip_suffix(BEFORE);
        let which = all.iter().position(|(other, _)| Some(&**other) == now || other == name).unwrap_or(0);
        let style = Palette99::pick(which).mix(if now.is_some() { 0.35 } else { 1.0 }).stroke_width(2);
        let points: &Points = points;
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(name.replace('`', ""))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
