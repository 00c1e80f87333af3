//! The thread that writes, while the next chunk is computed.

use std::sync::mpsc::sync_channel;

use crate::chunk::Chunk;
use crate::error::{Error, Result};
use crate::store::Store;

/// Runs `compute`, which passes chunks to the function that it is given, and writes them on another thread. The
/// function says whether more chunks are of use. What was computed is written even if `compute` fails.
pub(crate) fn written(
    store: &mut Store,
    compute: impl FnOnce(&mut dyn FnMut(Chunk) -> bool) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = sync_channel::<Chunk>(1);
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("wengert-sweep".into());
        let writing = builder.spawn_scoped(scope, move || {
            // Without the receiver, the other side notices that something is wrong.
            for chunk in receiver {
                store.push(&chunk)?;
            }
            store.save()
        });
        let writing = writing.map_err(|error| Error::Io {
            path: "wengert-sweep".into(),
            doing: "start a thread that writes",
            error,
        })?;
        let computed = compute(&mut |chunk| sender.send(chunk).is_ok());
        drop(sender);
        let written = match writing.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        // A file that cannot be written is why computing ended early.
        written.and(computed)
    })
}
