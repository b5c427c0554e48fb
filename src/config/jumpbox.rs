//! The jumpbox's parameters: a size Windows runs on, an image still sold, a user name Windows takes.

use super::problem::{At, Problem, listed, quoted};
use super::raw::RawJumpbox;
use super::{DEFAULT_IMAGE, DEFAULT_SIZE, Image, Jumpbox};

const CLIENT: &str = "MicrosoftWindowsDesktop";
const SERVER: &str = "MicrosoftWindowsServer";
const LICENSES: [&str; 3] = ["Windows_Client", "Windows_Server", "none"];

/// Names that Azure refuses for an administrator (`azure-facts` 2.19).
const TAKEN: [&str; 33] = [
    "1",
    "123",
    "a",
    "actuser",
    "adm",
    "admin",
    "admin1",
    "admin2",
    "administrator",
    "aspnet",
    "backup",
    "console",
    "david",
    "guest",
    "john",
    "owner",
    "root",
    "server",
    "sql",
    "support",
    "support_388945a0",
    "sys",
    "test",
    "test1",
    "test2",
    "test3",
    "user",
    "user1",
    "user2",
    "user3",
    "user4",
    "user5",
    "",
];
/// Windows lines out of support, with the first words of their SKUs; Azure withdraws such images without notice.
const OLD: [&str; 4] = ["win11-21h2", "win11-22h2", "win11-23h2", "win11-24h2-pro"];
/// Publishers of Linux images; the jumpbox is set up as Windows.
const LINUX: [&str; 10] = [
    "canonical",
    "debian",
    "redhat",
    "suse",
    "oracle",
    "openlogic",
    "almalinux",
    "resf",
    "kinvolk",
    "microsoftcblmariner",
];

/// Something was complained about.
#[derive(Debug)]
pub(super) struct Refused;

/// The jumpbox; `None`: the environment has none, but what was said about it is judged all the same.
pub(super) fn check(raw: &RawJumpbox, problems: &mut Vec<Problem>) -> Result<Option<Jumpbox>, Refused> {
    let size = raw.size.as_ref().map_or_else(|| Some(DEFAULT_SIZE.to_owned()), |s| size(s, problems));
    let image = raw.image.as_ref().map_or_else(|| parts(DEFAULT_IMAGE), |i| image(i, problems));
    let user = raw.user.as_ref().map(|u| user(u, problems).ok_or(Refused)).transpose();
    let license_type = match &raw.license_type {
        Some(given) => license(given, image.as_ref(), problems),
        None => Ok(image.as_ref().filter(|i| is_from(i, CLIENT)).map(|_| "Windows_Client".to_owned())),
    };
    let jumpbox =
        Jumpbox { size: size.ok_or(Refused)?, image: image.ok_or(Refused)?, user: user?, license_type: license_type? };
    Ok(raw.enabled.as_ref().is_none_or(|e| e.value).then_some(jumpbox))
}

fn is_from(image: &Image, publisher: &str) -> bool {
    image.publisher.eq_ignore_ascii_case(publisher)
}

fn size(size: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let text = size.value.as_str();
    let bare = match text.get(..9) {
        Some(start) if start.eq_ignore_ascii_case("standard_") => &text[9..],
        _ => text,
    };
    let Some(cores) = cores(bare) else {
        let problem =
            Problem::at(size.span, format!("{} is not the name of a VM size", quoted(text))).label("not a size").help(
                format!("Write it as Azure does: `{DEFAULT_SIZE}`. `az vm list-skus -l REGION -o table` lists them."),
            );
        problems.push(problem);
        return None;
    };
    let name = format!("Standard_{bare}");
    if name != text {
        let problem = Problem::at(size.span, format!("{} is not the name of a VM size", quoted(text)))
            .label("not a size")
            .help(format!("Did you mean `{name}`?"));
        problems.push(problem);
        return None;
    }
    problems.extend(caution(size, bare, cores));
    Some(name)
}

/// What a size that exists is not good for.
fn caution(size: &At<String>, bare: &str, cores: u32) -> Option<Problem> {
    let at = |what: &str| Problem::at(size.span, format!("{} {what}", quoted(&size.value))).warning();
    if cores < 2 {
        let help = format!("Windows 11 wants two processors and 4 GB. Take `{DEFAULT_SIZE}` or `Standard_B2s_v2`.");
        return Some(at("has one processor").label("too small for Windows 11").help(help));
    }
    let features = bare.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let features = features.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let arm = features.split('_').next().is_some_and(|f| f.contains('p'));
    arm.then(|| {
        at("is an Arm machine").label("the letter p").help(format!(
            "The images for it are others, and few. Take a size without the p, such as `{DEFAULT_SIZE}`."
        ))
    })
}

/// The number of processors in a size's name: `D2s_v5` 2, `D4-2s_v5` 2 of 4. `None`: not a size's name.
fn cores(bare: &str) -> Option<u32> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_uppercase());
    if !bare.chars().all(sound) || digits.len() == bare.len() {
        return None;
    }
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        (text[..end].parse::<u32>().ok(), text[end..].to_owned())
    };
    let (all, rest) = number(digits);
    let limited = rest.strip_prefix('-').and_then(|r| number(r).0);
    limited.or(all)
}

fn image(image: &At<String>, problems: &mut Vec<Problem>) -> Option<Image> {
    let text = image.value.as_str();
    let Some(parsed) = parts(text) else {
        let gallery = text.starts_with("/subscriptions/");
        let message = format!("{} is not a marketplace image", quoted(text));
        let help = if gallery { "Images of a gallery of your own are not supported. " } else { "" };
        let problem = Problem::at(image.span, message)
            .label("expected publisher:offer:sku:version")
            .help(format!("{help}Write four parts with colons: `{DEFAULT_IMAGE}`"));
        problems.push(problem);
        return None;
    };
    if let Some(refused) = refused(image, &parsed) {
        problems.push(refused);
        return None;
    }
    problems.extend(doubtful(image, &parsed));
    Some(parsed)
}

/// `publisher:offer:sku:version`.
pub(super) fn parts(text: &str) -> Option<Image> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let parts: Vec<String> = text.split(':').map(str::to_owned).collect();
    if parts.iter().any(|p| p.is_empty() || !p.chars().all(sound)) {
        return None;
    }
    let [publisher, offer, sku, version] = parts.try_into().ok()?;
    Some(Image { publisher, offer, sku, version })
}

/// Images that cannot work at all.
fn refused(at: &At<String>, image: &Image) -> Option<Problem> {
    let (publisher, offer, sku) = lower(image);
    if offer.starts_with("windows-10") || sku.starts_with("win10") {
        let problem = Problem::at(at.span, "Windows 10 images are retired").label("no longer sold");
        return Some(problem.help(format!(
            "Support for Windows 10 ended in October 2025, and in April 2026 Azure stopped making machines from its \
             images. Take Windows 11, `{DEFAULT_IMAGE}`, or Windows Server, \
             `MicrosoftWindowsServer:WindowsServer:2025-datacenter-g2:latest`."
        )));
    }
    let linux = LINUX.contains(&publisher.as_str()) || offer.contains("ubuntu") || offer.contains("linux");
    linux.then(|| {
        Problem::at(at.span, "the jumpbox is a Windows machine, and this is a Linux image")
            .label("Linux")
            .help(format!("Take a Windows image, such as `{DEFAULT_IMAGE}`"))
    })
}

/// Images that may work today.
fn doubtful(at: &At<String>, image: &Image) -> Option<Problem> {
    let (_, _, sku) = lower(image);
    if OLD.iter().any(|old| sku.starts_with(old)) {
        let problem = Problem::at(at.span, format!("{} is out of support", quoted(&image.sku)));
        let help = format!("Azure withdraws such images without notice. Take `{DEFAULT_IMAGE}`");
        return Some(problem.label("may be refused").help(help).warning());
    }
    let second = ["g2", "gen2", "azure-edition"].iter().any(|word| sku.contains(word));
    (is_from(image, SERVER) && !second).then(|| {
        Problem::at(at.span, format!("{} looks like a first-generation image", quoted(&image.sku)))
            .label("no trusted launch")
            .help("The jumpbox starts with trusted launch, which needs the second generation: a SKU ending in -g2.")
            .warning()
    })
}

fn lower(image: &Image) -> (String, String, String) {
    (image.publisher.to_lowercase(), image.offer.to_lowercase(), image.sku.to_lowercase())
}

fn user(user: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let name = user.value.as_str();
    let said = |what: &str| format!("{} {what}", quoted(name));
    let fault = if name.is_empty() {
        Some(("the user name is empty".to_owned(), "Leave the line out to have a name drawn."))
    } else if name.chars().count() > 20 {
        Some((said("is longer than 20 characters"), "Windows takes user names of up to 20 characters."))
    } else if TAKEN.contains(&name.to_lowercase().as_str()) {
        Some((
            said("is a name that Azure refuses"),
            "It is among the first that attackers try. Take a less common one.",
        ))
    } else if name.ends_with('.') {
        Some((said("ends with a dot"), "Windows takes no user name that ends with a dot."))
    } else if name.contains(|c: char| c.is_whitespace() || c.is_control() || "\"/\\[]:;|=,+*?<>@&".contains(c)) {
        Some((said("has a character that Windows refuses"), "Keep to letters, digits, hyphens, underscores and dots."))
    } else {
        None
    };
    let Some((message, help)) = fault else { return Some(name.to_owned()) };
    problems.push(Problem::at(user.span, message).label("not a user name").help(help));
    None
}

/// The licence as ARM takes it; `None` is "none".
fn license(given: &At<String>, image: Option<&Image>, problems: &mut Vec<Problem>) -> Result<Option<String>, Refused> {
    let text = given.value.as_str();
    if !LICENSES.contains(&text) {
        let near = LICENSES.iter().find(|l| l.eq_ignore_ascii_case(text) || strsim::jaro_winkler(l, text) > 0.95);
        let help = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Write {}.", listed(&LICENSES, "or")),
        };
        let problem = Problem::at(given.span, format!("{} is not a licence type", quoted(text)));
        problems.push(problem.label("unknown").help(help));
        return Err(Refused);
    }
    let other = match text {
        "Windows_Client" if image.is_some_and(|i| is_from(i, SERVER)) => Some("a Windows Server image"),
        "Windows_Server" if image.is_some_and(|i| is_from(i, CLIENT)) => Some("a client image of Windows"),
        _ => None,
    };
    if let Some(other) = other {
        let problem = Problem::at(given.span, format!("`{text}` does not go with {other}"));
        problems.push(problem.label("of the other kind").help("Leave `license_type` out: it follows from the image."));
        return Err(Refused);
    }
    Ok((text != "none").then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_read_from_the_name() {
        let cases = [
            ("D2s_v5", Some(2)),
            ("DS1_v2", Some(1)),
            ("D4-2s_v5", Some(2)),
            ("B2s_v2", Some(2)),
            ("NC24ads_A100_v4", Some(24)),
            ("D16s_v5", Some(16)),
            ("F1", Some(1)),
            ("", None),
            ("2", None),
            ("large", None),
            ("D2s v5", None),
            ("Ds_v5", None),
            ("D99999999999s", None),
        ];
        for (size, processors) in cases {
            assert_eq!(cores(size), processors, "{size}");
        }
    }

    fn warned(size: &str) -> bool {
        let at = At { value: format!("Standard_{size}"), span: crate::config::Span::default() };
        caution(&at, size, cores(size).unwrap()).is_some()
    }

    #[test]
    fn one_processor_and_arm_are_worth_a_word() {
        assert!(warned("DS1_v2") && warned("B1ms") && warned("D2ps_v5") && warned("B2pts_v2"));
        assert!(!warned("D2s_v5") && !warned("DS11_v2") && !warned("NP10s"));
    }

    #[test]
    fn an_image_has_four_parts() {
        assert_eq!(parts(DEFAULT_IMAGE).unwrap().sku, "win11-25h2-pro");
        for bad in ["", "a:b:c", "a:b:c:d:e", "a::c:d", "a:b c:d:e", "/subscriptions/x"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
