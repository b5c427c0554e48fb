//! The command line. The doc comments here are the manual; nothing is carried out in this file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A private Azure Machine Learning environment from one parameter file.
#[derive(Debug, Parser)]
#[command(
    name = "privaml",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage or parameters (plan --detailed-exitcode: changes), 3 sign-in or \
                  authorisation, 4 refused or failed by Azure, 5 verify found a violation, 6 state locked, newer or \
                  damaged, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// Parameter file. Default: params.toml if present, else the built-in defaults.
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// State file.
    #[arg(long, global = true, value_name = "FILE", env = "PRIVAML_STATE", default_value = "privaml.state.json")]
    pub state: PathBuf,
    /// Use the embedded ARM: no Azure account, nothing leaves this machine.
    #[arg(long, global = true, conflicts_with = "cloud")]
    pub sandbox: bool,
    /// How much faster than Azure the sandbox runs.
    #[arg(long, global = true, value_name = "FACTOR", default_value_t = 100.0, value_parser = speed)]
    pub sandbox_speed: f64,
    /// `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud`, or the base URL of a custom ARM.
    #[arg(long, global = true, value_name = "NAME|URL")]
    pub cloud: Option<String>,
    /// Subscription id. Default: the environment's, else the Azure CLI's.
    #[arg(long, global = true, value_name = "ID")]
    pub subscription: Option<String>,
    /// Tenant id to sign in to.
    #[arg(long, global = true, value_name = "ID")]
    pub tenant: Option<String>,
    /// Machine-readable output: events as one JSON object a line, answers as one document.
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Say more: -v shows the number of ARM calls at the end of a run, -vv the program's log (see `PRIVAML_LOG`).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Write every ARM exchange to FILE, one JSON object a line, secrets masked.
    #[arg(long, global = true, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// How many steps may run at once.
    #[arg(long, global = true, value_name = "N", default_value_t = 16, value_parser = at_least_one)]
    pub parallelism: usize,
    /// Seconds to wait for another run that holds the state.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0)]
    pub lock_timeout: u64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("a number above 0 is expected, such as 100".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("a whole number of at least 1 is expected".to_owned()),
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented params.toml.
    Init {
        /// Overwrite an existing file.
        #[arg(long)]
        force: bool,
    },
    /// Show what would change and why, property by property.
    Plan {
        /// Exit with 2 if there are changes.
        #[arg(long)]
        detailed_exitcode: bool,
        /// Consent.
        #[command(flatten)]
        consent: ConsentArgs,
    },
    /// Make or change the environment.
    Apply {
        /// Do not ask.
        #[arg(short, long, alias = "auto-approve")]
        yes: bool,
        /// Consent.
        #[command(flatten)]
        consent: ConsentArgs,
        /// The verification before and after.
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Remove the environment.
    Destroy {
        /// Do not ask.
        #[arg(short, long, alias = "auto-approve")]
        yes: bool,
    },
    /// Print the outputs, or one of them.
    Output {
        /// Name of one output.
        name: Option<String>,
        /// The bare value, without quotes.
        #[arg(long, requires = "name")]
        raw: bool,
    },
    /// Look at the state, move it, free its lock.
    State {
        /// What to do with it.
        #[command(subcommand)]
        act: StateAct,
    },
    /// Make a lost state again from what Azure holds. Changes nothing in Azure.
    Recover {
        /// Resource group, where several fit the parameters.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Prove, or refute, that the environment is isolated: as it is now, or as the plan of -c would make it.
    Verify(VerifyArgs),
    /// Show whether a flow gets through, hop by hop; by the last apply, or by the plan with -c.
    Explain(ExplainArgs),
    /// Write the environment as an ARM template, or as plain bodies: the last apply, or the plan with -c.
    Export(ExportArgs),
    /// Draw the environment: zones, ways, what is closed; of the last apply, or of the plan with -c.
    Graph(GraphArgs),
    /// Write the whole judgement as one HTML page: of what is there now, of the last apply, or of the plan with -c.
    Report(ReportArgs),
    /// Show which credential signs in, and as whom.
    Whoami,
    /// The embedded ARM.
    Sandbox {
        /// What to do with it.
        #[command(subcommand)]
        act: SandboxAct,
    },
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What to judge, and how strictly.
#[derive(Args, Debug, Clone, Default)]
pub struct VerifyArgs {
    /// Judge what was applied last; ask no cloud.
    #[arg(long)]
    pub offline: bool,
    /// Warnings fail too.
    #[arg(long)]
    pub strict: bool,
    /// Judge these resources instead: a JSON array as ARM returns them.
    #[arg(long, value_name = "FILE")]
    pub bodies: Option<PathBuf>,
    /// Judge whatever this resource group holds, whoever made it; with -c also whether it is what the parameters say.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bodies", "offline"])]
    pub resource_group: Option<String>,
    /// How to say it. Default: table; with --json: json.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// Shapes of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML, for the test tabs of pipelines.
    Junit,
}

/// One question about the network, or a file of them.
#[derive(Args, Debug, Clone, Default)]
pub struct ExplainArgs {
    /// A subnet, a private address, `internet`, or one of: shared, jumpbox, bastion, firewall.
    #[arg(value_name = "FROM", requires = "to", conflicts_with = "flows")]
    pub from: Option<String>,
    /// `https://HOST`, HOST:PORT, an address, `subnet:NAME`, `tag:SERVICE.REGION`, an ARM id, or one of: storage,
    /// vault, registry, workspace, jumpbox, bastion, firewall.
    #[arg(value_name = "TO")]
    pub to: Option<String>,
    /// Port at the destination, where TO does not say it.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// tcp, udp, http, https, icmp or mssql, where TO does not say it.
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<String>,
    /// Judge these resources instead: a JSON array as ARM returns them.
    #[arg(long, value_name = "FILE")]
    pub bodies: Option<PathBuf>,
    /// Answer many flows: one JSON object a line with from, to, port, protocol.
    #[arg(long, value_name = "FILE")]
    pub flows: Option<PathBuf>,
}

/// What to write, and where.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// `arm`: a deployment template, without secrets. `json`: the bodies, as `verify --bodies` takes them.
    #[arg(long, value_enum, default_value_t = ExportFormat::Arm)]
    pub format: ExportFormat,
    /// File to write; default: stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// An ARM template.
    Arm,
    /// A JSON array of bodies.
    Json,
}

/// What to draw, and where.
#[derive(Args, Debug, Clone)]
pub struct GraphArgs {
    /// How to draw it.
    #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
    pub format: GraphFormat,
    /// File to write; default: stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw these resources instead: a JSON array as ARM returns them.
    #[arg(long, value_name = "FILE")]
    pub bodies: Option<PathBuf>,
}

/// Forms of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture, self-contained.
    Svg,
    /// For Graphviz.
    Dot,
    /// For pages that render Mermaid.
    Mermaid,
}

/// What to report of, and where to.
#[derive(Args, Debug, Clone)]
pub struct ReportArgs {
    /// Judge what was applied last; ask no cloud.
    #[arg(long)]
    pub offline: bool,
    /// File to write; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "privaml-report.html")]
    pub output: PathBuf,
}

/// What the user agrees to beyond an ordinary apply.
#[derive(Args, Debug, Clone, Default)]
pub struct ConsentArgs {
    /// Take an existing resource that is not ours into the environment: its address, its id, or `all`.
    #[arg(long, value_name = "ADDRESS|ID|all")]
    pub adopt: Vec<String>,
    /// Let this resource, which holds data, be deleted and made again.
    #[arg(long, value_name = "ADDRESS")]
    pub allow_replace: Vec<String>,
}

/// How an apply deals with the verification of its plan and of its result.
#[derive(Args, Debug, Clone, Default)]
pub struct ProofArgs {
    /// Go ahead although this check of `privaml verify` is violated, or this finding is found.
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,
    /// Do not read what was made to verify it. The plan is verified all the same.
    #[arg(long)]
    pub no_verify: bool,
}

/// Acts on the embedded ARM.
#[derive(Debug, Subcommand)]
pub enum SandboxAct {
    /// Serve it over HTTP, for the Azure CLI or any other ARM client.
    Serve {
        /// Port on the loopback address; 0 picks one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Serve HTTPS with a self-made authority, whose certificate is written here (for `SSL_CERT_FILE`).
        #[arg(long, value_name = "FILE")]
        tls_ca: Option<PathBuf>,
    },
}

/// Acts on the state.
#[derive(Debug, Subcommand)]
pub enum StateAct {
    /// List what the state knows: addresses and ids.
    List,
    /// Show one resource as the state knows it.
    Show {
        /// Its address, such as `vault.core`.
        address: String,
    },
    /// Print the remote state, or make the local file a copy of it.
    Pull {
        /// Write it to the state file instead.
        #[arg(long)]
        save: bool,
        /// Even if the state file holds what the remote state has not; it is kept as .backup.
        #[arg(long, requires = "save")]
        force: bool,
    },
    /// Make the remote state a copy of the local file.
    Push {
        /// Even if the local one is older, or of another environment.
        #[arg(long)]
        force: bool,
        /// Do not ask.
        #[arg(short, long, alias = "auto-approve")]
        yes: bool,
    },
    /// Move the state to where the parameters say, in their table `state`.
    Migrate {
        /// Do not ask.
        #[arg(short, long, alias = "auto-approve")]
        yes: bool,
    },
    /// Free the lock on the state, whoever holds it.
    Unlock {
        /// Do not ask.
        #[arg(short, long, alias = "auto-approve")]
        yes: bool,
    },
}
