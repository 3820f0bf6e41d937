//! The texts of `--help` that are no option's.

pub(crate) const STATUSES: &str = "\
Exit status:
  0    answered
  1    the output, the recording or a file of this program's own could not be written
  2    usage: the command line, the environment, the configuration, a file or standard input is wrong
  3    the server answered instead of the model (a notice: out of quota, unknown model, ...), or refused a call
  4    no connection, or the answer was interrupted before its end
  5    a message or a transcript could not be read
  129  told to go by SIGHUP: the terminal is gone
  130  stopped by Ctrl-C (SIGINT): an answer of `ask`, or a command with nothing left to stop
  143  told to go by SIGTERM: an answer that ran was stopped, and its end waited for 2 seconds at most
  Of several turns the highest counts. An answer that is stopped inside of `chat` is none of these.";

pub(crate) const ENVIRONMENT: &str = "\
Environment (options go before it, it goes before the configuration; empty counts as unset):
  CHATNIO_URL      the server; with a token and no URL: wss://api.chatnio.net
  CHATNIO_TOKEN    the API key or login token; with a URL and no token: asks as `anonymous`
  CHATNIO_MODEL    the model; otherwise gpt-3.5-turbo
  CHATNIO_PROFILE  the profile of the configuration
  CHATNIO_CONFIG   the configuration file
  https_proxy, http_proxy, all_proxy, no_proxy
                   the proxy, as for curl; --proxy and the configuration go before it
  NO_COLOR         answers on a terminal are plain text, as by --plain
  With neither URL nor token a loopback server inside this process answers, to try things out.";

pub(crate) const CONFIGURATION: &str = "\
Configuration: $XDG_CONFIG_HOME/chatnio/config.toml (~/.config/chatnio/config.toml), in TOML; all of it is optional:
  url = \"wss://chat.example.com\"
  token-command = \"pass show chatnio\"  # prints the token; or token-file = \"~/.secrets/chatnio\"
  model = \"gpt-4\"
  system = \"Answer in one sentence.\"   # --system
  plain = false                        # also: proxy, connect-retries, ping-after, timeout, answer-within, max-message,
                                       # max-question, ca-file, cert, key, headers = [...]; each as the option of its name
  profile = \"work\"                     # the profile to take when none is named
  [parameters]                         # web, context, max-tokens, temperature, ... as the options
  temperature = 0.5
  extra = [\"think=true\"]               # --extra, which replaces all of these
  [profiles.work]                      # --profile work; what it leaves out is taken from above
  url = \"wss://chat.work.example\"
  token-file = \"~/.secrets/work\"
  A token goes to the URL beside it: one from above a profile's own URL, --url or CHATNIO_URL is not sent there.";

pub(crate) const EXAMPLES: &str = "\
Examples:
  chatnio ask \"hi\"                        try it out, without any server
  CHATNIO_TOKEN=sk-... chatnio ask \"hi\"   ask api.chatnio.net
  git diff | chatnio ask \"review this\"    text and standard input are one question
  chatnio ask -c \"and in French?\"         go on in the last conversation
  chatnio ask --image cat.png \"who is this?\"
  chatnio chat --url wss://chat.example.com --model gpt-4
  chatnio conversations                   list the stored ones; `ask --conversation ID` goes on in one
  chatnio check                           is the key good, and what is left of the quota
  chatnio replay --trace session.txt      what a recording of --record does, line by line
  chatnio serve --port 8094               a server on 127.0.0.1 to test against";

pub(crate) const COMMANDS: &str = "\
Lines (everything else is a question):
  /stop               stop the answer of the question before it (from a pipe; on a terminal, Ctrl-C does)
  /restart            answer the last question again
  /new                begin a new conversation
  /conversation [ID]  show the conversation's id, or go on in another one
  /model [NAME]       show or change the model
  /system [TEXT]      show the system prompt, or give another one from here on; `none` takes it away, but not
                      out of a conversation that has it already
  /help               show these lines
  /quit               quit; also /exit, quit, exit, Ctrl-D, and Ctrl-C twice on an empty line
  A space before it makes a line a question whatever it says, and keeps it out of the history.";

pub(crate) const KEYS: &str = "\
Keys on a terminal:
  Enter               ask
  Alt-Enter           begin a new line of the question; what is pasted may have several
  Tab                 complete a command or a model
  Up, Down, Ctrl-R    the history, kept in $XDG_STATE_HOME/chatnio/history (~/.local/state/chatnio/history);
                      lines with a key (sk-...) in them are not
  Ctrl-C              stop the answer; give up connecting anew; clear the line
  Ctrl-Z              suspend, until `fg`
  What is typed while an answer runs waits for the prompt.";
