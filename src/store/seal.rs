//! Seals secrets into age armour, so that a state file may be copied and committed. Never logs or keeps what it opens.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use etcetera::BaseStrategy;
use secrecy::{ExposeSecret, SecretString};

use super::file::{read_bytes, sync_folder};

/// The file that holds the user's identity.
const IDENTITY: &str = "identity.txt";

/// Logarithm of the work to stretch a passphrase: about half a second; the least possible in unit tests.
const WORK: u8 = if cfg!(test) { 4 } else { 17 };

/// The most work accepted when opening, so that a crafted state cannot stall a run.
const MOST_WORK: u8 = 20;

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The user's folder for configuration is unknown.
    #[error("the home folder of this user is unknown; set PRIVAML_CONFIG_DIR, or PRIVAML_PASSPHRASE")]
    NoHome,
    /// The secret was sealed by another user or on another machine.
    #[error(
        "the secret is sealed to an identity that is not here ({} does not exist); copy that file from the machine \
         that ran the first apply",
        path.display()
    )]
    NoIdentity {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The secret was sealed with a passphrase.
    #[error("the secret is sealed with a passphrase; set PRIVAML_PASSPHRASE to it")]
    NoPassphrase,
    /// The passphrase is not the one.
    #[error("the secret does not open with this PRIVAML_PASSPHRASE")]
    WrongPassphrase,
    /// The identity is not the one.
    #[error("the secret is sealed to another identity than the one in {}", path.display())]
    WrongIdentity {
        /// The identity that was tried.
        path: PathBuf,
    },
    /// The identity file is not one.
    #[error("{} is not an age identity: {why}", path.display())]
    BadIdentity {
        /// The file.
        path: PathBuf,
        /// The library's words.
        why: String,
    },
    /// A recipient is not one.
    #[error("`{text}` is not an age recipient (expected `age1…`): {why}")]
    BadRecipient {
        /// The text.
        text: String,
        /// The library's words.
        why: String,
    },
    /// The sealed text is not age armour, or was altered.
    #[error("the sealed secret is damaged: {0}")]
    Damaged(String),
    /// The disk or its permissions.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Seals and opens the secrets of a state. Has no `Debug`: it may hold a passphrase.
pub struct Sealer {
    identity: PathBuf,
    passphrase: Option<SecretString>,
    recipients: Vec<x25519::Recipient>,
}

/// The folder for the user's configuration of privaml: `given`, or the system's place for it.
///
/// # Errors
/// When the user has no home folder.
pub fn config_folder(given: Option<PathBuf>) -> Result<PathBuf, SealError> {
    let standard = || etcetera::choose_base_strategy().map(|places| places.config_dir().join("privaml"));
    given.map_or_else(standard, Ok).map_err(|_| SealError::NoHome)
}

impl Sealer {
    /// A sealer whose identity lies in `folder`. With a passphrase, that seals instead; `recipients` (`age1…`) can
    /// open what is sealed as well. Nothing is read or made before it is needed.
    ///
    /// # Errors
    /// When a recipient is not one.
    pub fn open(folder: &Path, passphrase: Option<SecretString>, recipients: &[String]) -> Result<Self, SealError> {
        let read = |text: &String| {
            text.parse().map_err(|why: &str| SealError::BadRecipient { text: text.clone(), why: why.to_owned() })
        };
        let recipients = recipients.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { identity: folder.join(IDENTITY), passphrase, recipients })
    }

    /// Seals a secret. The first one ever makes the user's identity.
    ///
    /// # Errors
    /// When the identity cannot be read or made.
    pub fn seal(&self, secret: &SecretString) -> Result<String, SealError> {
        if let Some(passphrase) = &self.passphrase {
            let mut stretched = scrypt::Recipient::new(passphrase.clone());
            stretched.set_work_factor(WORK);
            return armoured([&stretched as &dyn Recipient], secret);
        }
        let own = match self.own()? {
            Some(identity) => identity,
            None => make_identity(&self.identity)?,
        }
        .to_public();
        let others = self.recipients.iter().map(|recipient| recipient as &dyn Recipient);
        armoured(std::iter::once(&own as &dyn Recipient).chain(others), secret)
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// When identity or passphrase are missing or are not the ones, or the text was altered.
    pub fn unseal(&self, sealed: &str) -> Result<SecretString, SealError> {
        let damaged = |error: &dyn std::fmt::Display| SealError::Damaged(error.to_string());
        let opener = Decryptor::new_buffered(ArmoredReader::new(sealed.as_bytes())).map_err(|e| damaged(&e))?;
        if opener.is_scrypt() {
            let passphrase = self.passphrase.as_ref().ok_or(SealError::NoPassphrase)?;
            let mut key = scrypt::Identity::new(passphrase.clone());
            key.set_max_work_factor(MOST_WORK);
            opened(opener, &key, || SealError::WrongPassphrase)
        } else {
            let missing = || SealError::NoIdentity { path: self.identity.clone() };
            let key = self.own()?.ok_or_else(missing)?;
            opened(opener, &key, || SealError::WrongIdentity { path: self.identity.clone() })
        }
    }

    /// The user's identity, if there is one.
    fn own(&self) -> Result<Option<x25519::Identity>, SealError> {
        let Some(bytes) = read_bytes(&self.identity).map_err(at(&self.identity))? else { return Ok(None) };
        let text = SecretString::from(String::from_utf8_lossy(&bytes).into_owned());
        let line = text.expose_secret().lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let bad = |why: &str| SealError::BadIdentity { path: self.identity.clone(), why: why.to_owned() };
        line.ok_or_else(|| bad("it is empty"))?.parse().map(Some).map_err(bad)
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> SealError {
    let path = path.to_owned();
    move |source| SealError::Io { path: path.clone(), source }
}

/// Writes a new identity. A run that was quicker wins: its identity is used.
fn make_identity(path: &Path) -> Result<x25519::Identity, SealError> {
    let folder = super::file::folder(path);
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let identity = x25519::Identity::generate();
    let text = SecretString::from(format!(
        "# Opens the secrets in privaml's state files. Keep a copy; tell nobody.\n# public key: {}\n{}\n",
        identity.to_public(),
        identity.to_string().expose_secret()
    ));
    let mut file = tempfile::Builder::new().prefix(".privaml-").tempfile_in(folder).map_err(at(path))?;
    file.write_all(text.expose_secret().as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(at(path))?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => {
            let folder = folder.to_owned();
            let winner = Sealer { identity: folder.join(IDENTITY), passphrase: None, recipients: Vec::new() };
            return winner.own()?.ok_or_else(|| SealError::NoIdentity { path: path.to_owned() });
        }
        Err(failed) => return Err(at(path)(failed.error)),
    }
    sync_folder(path).map_err(|error| at(path)(io::Error::other(error)))?;
    Ok(identity)
}

fn armoured<'a>(
    recipients: impl IntoIterator<Item = &'a dyn Recipient>,
    secret: &SecretString,
) -> Result<String, SealError> {
    let failed = |error: &dyn std::fmt::Display| SealError::Damaged(error.to_string());
    let encryptor = Encryptor::with_recipients(recipients.into_iter()).map_err(|e| failed(&e))?;
    let write = || -> io::Result<Vec<u8>> {
        let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut stream = encryptor.wrap_output(armour)?;
        stream.write_all(secret.expose_secret().as_bytes())?;
        stream.finish()?.finish()
    };
    String::from_utf8(write().map_err(|e| failed(&e))?).map_err(|e| failed(&e))
}

fn opened<R: io::BufRead>(
    opener: Decryptor<R>,
    key: &dyn Identity,
    wrong: impl FnOnce() -> SealError,
) -> Result<SecretString, SealError> {
    use age::DecryptError::{DecryptionFailed, KeyDecryptionFailed, NoMatchingKeys};
    let mut stream = match opener.decrypt(std::iter::once(key)) {
        Ok(stream) => stream,
        Err(DecryptionFailed | KeyDecryptionFailed | NoMatchingKeys) => return Err(wrong()),
        Err(error) => return Err(SealError::Damaged(error.to_string())),
    };
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|error| SealError::Damaged(error.to_string()))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p_ssw%rd@16chars";

    fn sealer(folder: &Path, passphrase: Option<&str>) -> Sealer {
        Sealer::open(folder, passphrase.map(SecretString::from), &[]).unwrap()
    }

    fn open(door: &Sealer, sealed: &str) -> String {
        door.unseal(sealed).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn the_identity_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("config/privaml");
        let sealed = sealer(&home, None).seal(&SECRET.into()).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !sealed.contains(SECRET));
        let identity = std::fs::read(home.join(IDENTITY)).unwrap();
        sealer(&home, None).seal(&"other".into()).unwrap();
        assert_eq!(std::fs::read(home.join(IDENTITY)).unwrap(), identity);
        assert_eq!(open(&sealer(&home, None), &sealed), SECRET);
    }

    #[cfg(unix)]
    #[test]
    fn the_identity_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        sealer(folder.path(), None).seal(&SECRET.into()).unwrap();
        let mode = std::fs::metadata(folder.path().join(IDENTITY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_passphrase_needs_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = sealer(folder.path(), Some("correct horse")).seal(&SECRET.into()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(open(&sealer(folder.path(), Some("correct horse")), &sealed), SECRET);
        assert!(matches!(sealer(folder.path(), Some("battery")).unseal(&sealed), Err(SealError::WrongPassphrase)));
        assert!(matches!(sealer(folder.path(), None).unseal(&sealed), Err(SealError::NoPassphrase)));
    }

    #[test]
    fn a_missing_or_foreign_identity_is_named() {
        let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = sealer(mine.path(), None).seal(&SECRET.into()).unwrap();
        assert!(matches!(sealer(theirs.path(), None).unseal(&sealed), Err(SealError::NoIdentity { .. })));
        sealer(theirs.path(), None).seal(&"x".into()).unwrap();
        assert!(matches!(sealer(theirs.path(), None).unseal(&sealed), Err(SealError::WrongIdentity { .. })));
    }

    #[test]
    fn a_recipient_opens_it_too() {
        let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        sealer(theirs.path(), None).seal(&"x".into()).unwrap();
        let public = sealer(theirs.path(), None).own().unwrap().unwrap().to_public().to_string();
        let sealed = Sealer::open(mine.path(), None, &[public]).unwrap().seal(&SECRET.into()).unwrap();
        assert_eq!(open(&sealer(mine.path(), None), &sealed), SECRET);
        assert_eq!(open(&sealer(theirs.path(), None), &sealed), SECRET);
        assert!(matches!(Sealer::open(mine.path(), None, &["ssh-rsa".into()]), Err(SealError::BadRecipient { .. })));
    }

    #[test]
    fn an_altered_seal_never_opens_to_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let door = sealer(folder.path(), None);
        let sealed = door.seal(&SECRET.into()).unwrap();
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(secret) = String::from_utf8(bytes).map(|text| door.unseal(&text)).unwrap() {
                assert_eq!(secret.expose_secret(), SECRET, "{at}");
            }
        }
    }
}
