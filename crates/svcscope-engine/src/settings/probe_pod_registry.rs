//! Which probe pods this run made, so that the next one can remove what a crash left.
//!
//! Each run has two files in a folder: a list of its pods, and a lock that it holds while it lives.
//! A list whose lock can be taken belongs to a run that has ended: that holds for two runs at the
//! same time, and also where a process number is used again.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::state_files::{create_folder, read_or_move_aside, write_atomically};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// So long after its creation nothing can be left of a pod that a kubelet ends after minutes, but
/// the object of an ended one. Who has not been at that cluster since forgets it.
const MAX_RECORD_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A pod that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredProbePod {
    /// The address of the API server.
    pub server: SharedStr,
    /// The pod's namespace.
    pub namespace: SharedStr,
    /// The pod's name.
    pub name: SharedStr,
    /// When it was made.
    pub created: Timestamp,
}

impl RegisteredProbePod {
    /// Namespace and name.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(&*self.namespace, &*self.name)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct ProbePodList {
    pods: Vec<RegisteredProbePod>,
}

/// The pods of this run. Its lock is held until it is dropped.
#[derive(Debug)]
pub struct ProbePodRegistry {
    list: PathBuf,
    pods: ProbePodList,
    /// Taken with the first pod: most runs make none.
    lock: Option<File>,
}

/// Where probe pods are noted: beside the settings.
pub fn probe_folder(settings: &Path) -> PathBuf {
    settings.with_file_name("probe-pods")
}

impl ProbePodRegistry {
    /// The book of the run that is called `session`, with nothing in it.
    pub fn new(folder: &Path, session: &str) -> Self {
        Self {
            list: folder.join(format!("{session}.json")),
            pods: ProbePodList::default(),
            lock: None,
        }
    }

    /// Notes a pod that is about to be made.
    pub fn add(&mut self, pod: RegisteredProbePod) -> io::Result<()> {
        if self.lock.is_none() {
            if let Some(folder) = self.list.parent() {
                create_folder(folder)?;
            }
            let lock = open_lock(&self.list)?;
            lock.lock()?;
            self.lock = Some(lock);
        }
        self.pods.pods.push(pod);
        write_atomically(&self.pods, &self.list)
    }

    /// A pod is gone.
    pub fn remove(&mut self, server: &str, pod: &ObjectKey) -> io::Result<()> {
        remove_from_list(&mut self.pods, server, pod);
        if self.pods.pods.is_empty() {
            // Its file goes, and the next pod gets a new one.
            self.lock = None;
        }
        write_or_remove(&self.pods, &self.list)
    }
}

/// A list that an ended run left.
#[derive(Debug)]
pub struct OrphanedPodList {
    /// What the run was called.
    pub run_id: SharedStr,
    list: PathBuf,
    pods: ProbePodList,
    _lock: File,
}

impl OrphanedPodList {
    /// The lists of runs that have ended. While they are held nobody else has them.
    pub fn of_ended_runs(folder: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .filter_map(|list| Self::open(list, Timestamp::now()))
            .collect()
    }

    fn open(list: PathBuf, now: Timestamp) -> Option<Self> {
        let lock = open_lock(&list).ok()?;
        match lock.try_lock() {
            Ok(()) => {}
            // A file system without locks can't tell the living from the dead.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
        }
        let (mut page, problem): (ProbePodList, _) = read_or_move_aside(&list);
        if let Some(problem) = problem {
            tracing::warn!("{problem}");
        }
        page.pods.retain(|pod| pod.created + MAX_RECORD_AGE > now);
        let session = SharedStr::from(list.file_stem()?.to_str()?);
        let book = Self {
            run_id: session,
            list,
            pods: page,
            _lock: lock,
        };
        if book.pods.pods.is_empty() {
            book.close().ok();
            return None;
        }
        Some(book)
    }

    /// Its pods at this API server.
    pub fn pods_at(&self, server: &str) -> Vec<ObjectKey> {
        let here = self.pods.pods.iter().filter(|pod| *pod.server == *server);
        here.map(RegisteredProbePod::key).collect()
    }

    /// A pod is gone.
    pub fn remove(&mut self, server: &str, pod: &ObjectKey) -> io::Result<()> {
        remove_from_list(&mut self.pods, server, pod);
        self.close()
    }

    fn close(&self) -> io::Result<()> {
        write_or_remove(&self.pods, &self.list)
    }
}

fn remove_from_list(page: &mut ProbePodList, server: &str, pod: &ObjectKey) {
    page.pods
        .retain(|noted| *noted.server != *server || noted.key() != *pod);
}

/// An empty list is no file. The lock's file goes with it: whoever opens a new one of that name is
/// another run, for names are not used twice.
fn write_or_remove(page: &ProbePodList, list: &Path) -> io::Result<()> {
    if !page.pods.is_empty() {
        return write_atomically(page, list);
    }
    for path in [list.to_owned(), lock_path(list)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn lock_path(list: &Path) -> PathBuf {
    list.with_extension("lock")
}

fn open_lock(list: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(lock_path(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://10.0.0.1:6443";

    fn pod(name: &str, age: SignedDuration) -> RegisteredProbePod {
        RegisteredProbePod {
            server: SERVER.into(),
            namespace: "shop".into(),
            name: name.into(),
            created: Timestamp::now() - age,
        }
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn only_a_run_that_has_ended_leaves_something() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = ProbePodRegistry::new(folder.path(), "s1");
        book.add(pod("a", SignedDuration::ZERO)).unwrap();
        book.add(pod("b", SignedDuration::ZERO)).unwrap();
        book.remove(SERVER, &ObjectKey::new("shop", "a")).unwrap();
        assert!(
            OrphanedPodList::of_ended_runs(folder.path()).is_empty(),
            "it still lives"
        );

        // As after a crash.
        drop(book);
        let mut left = OrphanedPodList::of_ended_runs(folder.path());
        assert_eq!(left.len(), 1);
        assert!(
            OrphanedPodList::of_ended_runs(folder.path()).is_empty(),
            "one sweeps, not two"
        );
        assert_eq!(&*left[0].run_id, "s1");
        assert!(left[0].pods_at("https://other:6443").is_empty());
        let b = ObjectKey::new("shop", "b");
        assert_eq!(left[0].pods_at(SERVER), std::slice::from_ref(&b));
        left[0].remove(SERVER, &b).unwrap();
        assert_eq!(files(folder.path()), 0);
    }

    #[test]
    fn who_removed_all_pods_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = ProbePodRegistry::new(folder.path(), "s1");
        book.add(pod("a", SignedDuration::ZERO)).unwrap();
        book.remove(SERVER, &ObjectKey::new("shop", "a")).unwrap();
        assert_eq!(files(folder.path()), 0);
        // And goes on.
        book.add(pod("b", SignedDuration::ZERO)).unwrap();
        assert!(
            OrphanedPodList::of_ended_runs(folder.path()).is_empty(),
            "it still lives"
        );
        drop(book);
        assert_eq!(OrphanedPodList::of_ended_runs(folder.path()).len(), 1);
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = ProbePodRegistry::new(folder.path(), "s1");
        book.add(pod("a", SignedDuration::from_hours(31 * 24)))
            .unwrap();
        drop(book);
        assert!(OrphanedPodList::of_ended_runs(folder.path()).is_empty());
        assert_eq!(files(folder.path()), 0);
    }
}
