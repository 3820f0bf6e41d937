//! A trace as one page that needs nothing else.

use super::Trace;

/// The page of these traces.
pub(crate) fn page(traces: &[Trace]) -> String {
    // In a script no `<` may stand as it is: it could end it.
    let data = serde_json::to_string(traces).unwrap_or_default().replace('<', "\\u003c");
    include_str!("page.html").replace("[\"traces\"]", &data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatnio::transcript::Transcript;

    #[test]
    fn no_text_can_leave_the_data() {
        let text = "> SEND {\"type\":\"chat\",\"message\":\"</script><script>alert(1)</script>\"}\n";
        let trace = Trace::new("a <b>".into(), &Transcript::parse(text).unwrap()).unwrap();
        let page = page(&[trace]);
        assert!(!page.contains("alert(1)</script>") && !page.contains("a <b>"));
        assert_eq!(page.matches("</script>").count(), 2, "those of the page itself");
        assert!(!page.contains("http://") && !page.contains("src="), "it needs nothing else");
    }

    #[test]
    fn a_long_answer_stands_there_once() {
        let mut text = String::from("> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n");
        for _ in 0..2000 {
            text.push_str("< RECV {\"message\":\"piece \",\"quota\":0.1,\"end\":false}\n");
        }
        let trace = Trace::new("a".into(), &Transcript::parse(&text).unwrap()).unwrap();
        let page = page(&[trace]);
        assert!(page.len() < 10 * text.len(), "{} of {}", page.len(), text.len());
    }
}
