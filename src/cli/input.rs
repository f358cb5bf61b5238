//! Files that the command line names and reads whole.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use super::exit::{CliExit, cli_error};

/// The most that is read: a file of a whole large cluster, but no device that never ends.
const MAX_BYTES: u64 = 256 << 20;

/// The text of a file; `-` is stdin. What is no regular file (a named pipe, `<(command)`) is read
/// to its end too.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let name = match path == Path::new("-") {
        true => "stdin".to_owned(),
        false => path.display().to_string(),
    };
    let refused = |why: String| cli_error(CliExit::Usage, format!("{name}: {why}"));
    let bytes = bytes(path).map_err(|error| refused(error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        let most = MAX_BYTES >> 20;
        let why = format!("it is longer than {most} MiB, which is the most that is read");
        return Err(refused(why));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refused(format!("it is no text in UTF-8 (byte {at})"))
    })?;
    // Editors of Windows begin a file with a byte order mark.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
