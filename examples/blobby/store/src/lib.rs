//! `wasi:blobstore` with a directory: a container is a folder of it, an object a file there. It uses
//! the first directory that it is given.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

mod names;

wit_bindgen::generate!({ path: "../wit", world: "store", generate_all });

use exports::wasi::blobstore::blobstore;
use exports::wasi::blobstore::container as api;
use exports::wasi::blobstore::types;
use wasi::filesystem::preopens;
use wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasi::io::streams::{InputStream, OutputStream};

type Outcome<T> = Result<T, String>;

struct Store;
export!(Store);

/// The folder that all is in, and the same as a descriptor, which streams are made of.
fn root() -> Outcome<(Descriptor, PathBuf)> {
    let granted = preopens::get_directories().into_iter().next();
    let (descriptor, path) = granted.ok_or("the store was given no directory")?;
    Ok((descriptor, path.into()))
}

/// Opens a file by its path as `std::fs` has it.
fn open(path: &Path, how: OpenFlags, access: DescriptorFlags) -> Outcome<Descriptor> {
    let (descriptor, root) = root()?;
    let inside = path.strip_prefix(root).map_err(|error| error.to_string())?;
    let inside = inside.to_str().ok_or("a path that is not UTF-8")?;
    descriptor
        .open_at(PathFlags::empty(), inside, how, access)
        .map_err(|code| code.message().into())
}

/// A file of its own for what is not, or no longer, an object. Its name cannot be a container's.
fn scratch() -> Outcome<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (_, root) = root()?;
    loop {
        let path = root.join(format!(".part-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        match fs::File::create_new(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot store anything: {error}")),
        }
    }
}

fn container_path(name: &str) -> Outcome<PathBuf> {
    Ok(root()?.1.join(names::encode(name)?))
}

fn existing_container(name: &str) -> Outcome<PathBuf> {
    let path = container_path(name)?;
    if path.is_dir() { Ok(path) } else { Err(format!("there is no container '{name}'")) }
}

fn object_path(id: &types::ObjectId) -> Outcome<PathBuf> {
    Ok(existing_container(&id.container)?.join(names::encode(&id.object)?))
}

fn metadata(path: &Path, name: &str) -> Outcome<fs::Metadata> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("there is no object '{name}'"))
        }
        Err(error) => Err(format!("'{name}': {error}")),
    }
}

fn seconds(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

fn remove(path: &Path) -> Outcome<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// The bytes go to a scratch file, which `finish` moves to its place: nobody ever sees half an object.
struct Outgoing {
    scratch: Outcome<PathBuf>,
    taken: RefCell<bool>,
    target: RefCell<Option<PathBuf>>,
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Ok(path) = &self.scratch {
            let _ = fs::remove_file(path);
        }
    }
}

impl types::GuestOutgoingValue for Outgoing {
    fn new_outgoing_value() -> types::OutgoingValue {
        let (taken, target) = (RefCell::new(false), RefCell::new(None));
        types::OutgoingValue::new(Outgoing { scratch: scratch(), taken, target })
    }

    fn outgoing_value_write_body(&self) -> Result<OutputStream, ()> {
        if self.taken.replace(true) {
            return Err(());
        }
        let path = self.scratch.as_ref().map_err(|_| ())?;
        let file = open(path, OpenFlags::empty(), DescriptorFlags::WRITE).map_err(|_| ())?;
        file.write_via_stream(0).map_err(|_| ())
    }

    fn finish(this: types::OutgoingValue) -> Outcome<()> {
        let this: Outgoing = this.into_inner();
        let target = this.target.take().ok_or("finished before write-data said where")?;
        let scratch = this.scratch.as_ref().map_err(String::clone)?;
        fs::rename(scratch, target).map_err(|error| error.to_string())
    }
}

/// Holds its file open: the bytes stay when the object is replaced or deleted.
struct Incoming {
    file: Descriptor,
    size: u64,
}

impl types::GuestIncomingValue for Incoming {
    fn incoming_value_consume_sync(this: types::IncomingValue) -> Outcome<Vec<u8>> {
        let this: Incoming = this.into_inner();
        let mut bytes = Vec::new();
        loop {
            let read = this.file.read(this.size - bytes.len() as u64, bytes.len() as u64);
            let (part, end) = read.map_err(|code| code.message().to_string())?;
            bytes.extend_from_slice(&part);
            if end || bytes.len() as u64 >= this.size {
                return Ok(bytes);
            }
        }
    }

    fn incoming_value_consume_async(this: types::IncomingValue) -> Outcome<InputStream> {
        let this: Incoming = this.into_inner();
        this.file.read_via_stream(0).map_err(|code| code.message().into())
    }

    fn size(&self) -> u64 {
        self.size
    }
}

/// A file with a part of another. It has no name any more when this returns.
fn excerpt(path: &Path, start: u64, length: u64) -> Outcome<Descriptor> {
    use std::io::{Read, Seek, SeekFrom};
    let scratch = scratch()?;
    let copy = || -> std::io::Result<()> {
        let mut from = fs::File::open(path)?;
        from.seek(SeekFrom::Start(start))?;
        std::io::copy(&mut from.take(length), &mut fs::File::create(&scratch)?)?;
        Ok(())
    };
    let copied = copy().map_err(|error| error.to_string());
    let file = copied.and_then(|()| open(&scratch, OpenFlags::empty(), DescriptorFlags::READ));
    remove(&scratch)?;
    file
}

struct Container {
    name: String,
    path: PathBuf,
}

impl Container {
    fn object(&self, name: &str) -> Outcome<PathBuf> {
        Ok(self.path.join(names::encode(name)?))
    }

    fn objects(&self) -> Outcome<VecDeque<String>> {
        let entries =
            fs::read_dir(&self.path).map_err(|error| format!("'{}': {error}", self.name))?;
        Ok(entries
            .flatten()
            .filter_map(|entry| names::decode(entry.file_name().to_str()?))
            .collect())
    }
}

impl api::GuestContainer for Container {
    fn name(&self) -> Outcome<String> {
        Ok(self.name.clone())
    }

    fn info(&self) -> Outcome<types::ContainerMetadata> {
        let metadata = metadata(&self.path, &self.name)?;
        Ok(types::ContainerMetadata { name: self.name.clone(), created_at: seconds(&metadata) })
    }

    fn get_data(&self, name: String, start: u64, end: u64) -> Outcome<types::IncomingValue> {
        let path = self.object(&name)?;
        let whole = metadata(&path, &name)?.len();
        let start = start.min(whole);
        let size = end.saturating_add(1).clamp(start, whole) - start;
        let file = if size == whole {
            open(&path, OpenFlags::empty(), DescriptorFlags::READ)?
        } else {
            excerpt(&path, start, size)?
        };
        Ok(types::IncomingValue::new(Incoming { file, size }))
    }

    fn write_data(&self, name: String, data: types::OutgoingValueBorrow<'_>) -> Outcome<()> {
        let data = data.get::<Outgoing>();
        data.scratch.as_ref().map_err(String::clone)?;
        data.target.replace(Some(self.object(&name)?));
        Ok(())
    }

    fn list_objects(&self) -> Outcome<api::StreamObjectNames> {
        Ok(api::StreamObjectNames::new(Names(RefCell::new(self.objects()?))))
    }

    fn delete_object(&self, name: String) -> Outcome<()> {
        remove(&self.object(&name)?)
    }

    fn delete_objects(&self, names: Vec<String>) -> Outcome<()> {
        names.iter().try_for_each(|name| remove(&self.object(name)?))
    }

    fn has_object(&self, name: String) -> Outcome<bool> {
        Ok(self.object(&name)?.is_file())
    }

    fn object_info(&self, name: String) -> Outcome<types::ObjectMetadata> {
        let found = metadata(&self.object(&name)?, &name)?;
        let (created_at, size) = (seconds(&found), found.len());
        Ok(types::ObjectMetadata { name, container: self.name.clone(), created_at, size })
    }

    fn clear(&self) -> Outcome<()> {
        self.delete_objects(self.objects()?.into())
    }
}

/// Names as they were when the listing began.
struct Names(RefCell<VecDeque<String>>);

impl Names {
    fn take(&self, count: u64) -> (Vec<String>, bool) {
        let mut names = self.0.borrow_mut();
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(names.len());
        let taken = names.drain(..count).collect();
        (taken, names.is_empty())
    }
}

impl api::GuestStreamObjectNames for Names {
    fn read_stream_object_names(&self, len: u64) -> Outcome<(Vec<String>, bool)> {
        Ok(self.take(len))
    }

    fn skip_stream_object_names(&self, num: u64) -> Outcome<(u64, bool)> {
        let (skipped, last) = self.take(num);
        Ok((skipped.len() as u64, last))
    }
}

impl types::Guest for Store {
    type OutgoingValue = Outgoing;
    type IncomingValue = Incoming;
}

impl api::Guest for Store {
    type Container = Container;
    type StreamObjectNames = Names;
}

impl blobstore::Guest for Store {
    fn create_container(name: String) -> Outcome<api::Container> {
        let path = container_path(&name)?;
        fs::create_dir(&path).map_err(|error| format!("container '{name}': {error}"))?;
        Ok(api::Container::new(Container { name, path }))
    }

    fn get_container(name: String) -> Outcome<api::Container> {
        let path = existing_container(&name)?;
        Ok(api::Container::new(Container { name, path }))
    }

    fn delete_container(name: String) -> Outcome<()> {
        let path = existing_container(&name)?;
        fs::remove_dir_all(path).map_err(|error| format!("container '{name}': {error}"))
    }

    fn container_exists(name: String) -> Outcome<bool> {
        Ok(container_path(&name)?.is_dir())
    }

    fn copy_object(src: types::ObjectId, dest: types::ObjectId) -> Outcome<()> {
        let (from, to) = (object_path(&src)?, object_path(&dest)?);
        metadata(&from, &src.object)?;
        let scratch = scratch()?;
        let copied = fs::copy(from, &scratch).and_then(|_| fs::rename(&scratch, to));
        let _ = fs::remove_file(&scratch);
        copied.map_err(|error| error.to_string())
    }

    fn move_object(src: types::ObjectId, dest: types::ObjectId) -> Outcome<()> {
        let (from, to) = (object_path(&src)?, object_path(&dest)?);
        metadata(&from, &src.object)?;
        fs::rename(from, to).map_err(|error| error.to_string())
    }
}
