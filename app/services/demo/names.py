"""The texts of the demo world: users, orgs, groups, resources, and reasons of locks."""

from dataclasses import dataclass

PASSWORD = "Open-harbour-lights-24"  # noqa: S105 - public: a server that others can reach does not start with it
"""The password of all users of the demo world."""

PEOPLE = (
    ("Inés Kovač", "Tomasz Lindqvist", "Amara Diallo", "Jonas Brandt", "Priya Raman"),
    ("Marta Ferreira", "Kwame Boateng", "Sofie Madsen", "Luca Bianchi", "Hana Sato"),
    ("Elif Demir", "Noah Whitcombe", "Chiara Russo", "Mateo Vargas", "Yuki Tanaka"),
    ("Aoife Brennan", "Rashid Karimi", "Ingrid Solberg", "Paulo Teixeira", "Zofia Nowak"),
    ("Dmitri Volkov", "Leila Haddad", "Emil Johansson", "Ngozi Okafor", "Clara Weiss"),
    ("Rafael Ortega", "Mei Zhang", "Anton Petrov", "Greta Vogel", "Samir Aziz"),
    ("Olivia Hartley", "Tariq Mansour", "Freya Nilsen", "Bruno Costa", "Anjali Mehta"),
    ("Viktor Horvath", "Nadia Rahimi", "Oskar Berg", "Lucia Romero", "Kofi Mensah"),
)
"""Five users of each org, in the order of ORGS: the owner, an administrator, two who write, one who reads."""

STEWARD, AUDITOR, CURATOR, STRANGER, LEFT = (
    "Beatriz Alves",
    "Henrik Dahl",
    "Ruth Abernathy",
    "Felix Moreau",
    "Ivo Marek",
)
"""A steward of groups, an auditor, a curator of all resources, a user without an org, and a deactivated one."""


@dataclass(frozen=True, slots=True)
class DemoOrg:
    """An org, and the words for its resources."""

    slug: str
    name: str
    description: str
    is_public: bool
    subjects: tuple[str, ...]
    places: tuple[str, ...]
    instrument: str
    partners: tuple[str, str]


ORGS = (
    DemoOrg(
        "marine-science",
        "Institute of Marine Science",
        "Temperature, currents and life of the shelf seas, from moorings, gliders and research cruises.",
        True,
        (
            "sea surface temperature",
            "reef fish counts",
            "tidal currents",
            "plankton tows",
            "seagrass cover",
            "wave height",
        ),
        ("Cape Morrow", "Heron Shoals", "the Outer Banks", "Sandfly Bay", "the Lantern Reef"),
        "Mooring",
        ("Shelf Seas Foundation", "Harbour Pilots Association"),
    ),
    DemoOrg(
        "city-planning",
        "City Planning Office",
        "Land use, traffic, trees and noise of the city and its suburbs.",
        True,
        ("traffic counts", "street trees", "building heights", "night-time noise", "bicycle parking", "land use"),
        ("the Old Town", "Millbrook", "the Northern Suburbs", "Station Quarter", "the Riverside"),
        "Traffic counter",
        ("Union of Municipalities", "Millbrook Residents' Council"),
    ),
    DemoOrg(
        "herbarium",
        "National Herbarium",
        "Pressed plants since 1841: sheets, labels, photographs and where they were found.",
        True,
        (
            "fern specimens",
            "orchid specimens",
            "moss sheets",
            "type specimens",
            "flowering dates",
            "collectors' notebooks",
        ),
        ("the Highlands", "the Eastern Plains", "Mount Averil", "the Salt Marshes", "the Botanic Garden"),
        "Sheet scanner",
        ("Friends of the Botanic Garden", "Society of Field Botanists"),
    ),
    DemoOrg(
        "hydrology",
        "River and Groundwater Survey",
        "Gauges, wells and floods in seven catchments.",
        True,
        ("river levels", "groundwater depth", "flood extents", "suspended sediment", "snow melt", "water temperature"),
        ("the Upper Tarn", "the Lower Tarn", "Weir Bridge", "the Ashby Catchment", "Lake Corran"),
        "River gauge",
        ("Catchment Trust", "Weir Bridge Water Works"),
    ),
    DemoOrg(
        "air-quality",
        "Air Quality Network",
        "What people breathe, hour by hour, at roadsides, in parks and downwind of industry.",
        True,
        ("nitrogen dioxide", "fine particles", "ozone", "pollen counts", "wood smoke", "roadside soot"),
        ("Station Quarter", "the Harbour Tunnel", "Kiln Lane", "Victoria Park", "the Airport"),
        "Air monitor",
        ("Clean Air Schools", "Harbour Tunnel Operators"),
    ),
    DemoOrg(
        "seismology",
        "Seismic Observatory",
        "Tremors, quarry blasts and the slow creep of the Averil Fault; raw traces are for members.",
        False,
        ("aftershocks", "continuous waveforms", "fault creep", "quarry blasts", "ground motion", "station noise"),
        ("the Averil Fault", "Kiln Ridge", "the Dam", "the Southern Array", "Mount Averil"),
        "Seismometer",
        ("Dam Safety Board", "Mountain Rescue Averil"),
    ),
    DemoOrg(
        "public-health",
        "Public Health Data Unit",
        "Counts and rates that were made anonymous; who needs more asks for it, with a reason and for a time.",
        False,
        (
            "influenza reports",
            "vaccination coverage",
            "heat-related admissions",
            "waiting times",
            "birth weights",
            "asthma visits",
        ),
        ("the Northern District", "the Eastern District", "the City Hospitals", "rural clinics", "Millbrook"),
        "Sentinel clinic",
        ("City Hospitals Group", "Rural Nurses Network"),
    ),
    DemoOrg(
        "sound-archive",
        "Archive of Sounds and Voices",
        "Field recordings, interviews and the sounds of places that are changing.",
        False,
        ("dawn choruses", "harbour soundscapes", "oral histories", "frog calls", "market voices", "church bells"),
        ("the Salt Marshes", "the Old Town", "Sandfly Bay", "the Highlands", "Kiln Lane"),
        "Field recorder",
        ("Circle of Storytellers", "Bell Ringers' Guild"),
    ),
)

GROUPS = (
    ("reviewers", "Reviewers", "Read what is about to be published, and say what is missing."),
    ("partner-labs", "Partner laboratories", "People of other institutes who work on our data for a while."),
    ("field-crews", "Field crews", "Everyone who is out with the instruments this season."),
    ("students", "Students", "Theses and summer schools; memberships end with the term."),
)
"""Groups with members from all orgs. Each org also has a group of editors."""

INSTRUMENT = "INSTRUMENT"
"""A resource type of the demo world for measuring devices, which have no data files."""

KINDS = {
    "DATASET": 16,
    "MODEL": 4,
    "MODEL_RUN": 4,
    "WORKFLOW": 3,
    "STUDY": 4,
    "PERSON": 2,
    "ORGANISATION": 2,
    INSTRUMENT: 2,
}
"""Number of resources of each type in an org."""

NAMES = {
    "DATASET": (
        "{Subject}, {place}, {year}",
        "{Subject} around {place} since {year}",
        "Survey of {subject}, {place}, {year}",
    ),
    "MODEL": ("Forecast of {subject}, version {version}", "Model of {subject} at {place}, version {version}"),
    "MODEL_RUN": ("Run of the {subject} model, {month} {year}", "Hindcast of {subject}, {place}, {month} {year}"),
    "WORKFLOW": ("Quality checks of {subject}", "Monthly summary of {subject}", "Gap filling of {subject}"),
    "STUDY": ("How {subject} changed at {place}", "What drives {subject} at {place}?"),
    INSTRUMENT: ("{instrument} {number}, {place}",),
}

DESCRIPTIONS = {
    "DATASET": "{Subject} recorded at {place} since {year}: {cadence} values, checked, with gaps marked as gaps.",
    "MODEL": "Predicts {subject} from weather and last year's values. Version {version} was tuned at {place}.",
    "MODEL_RUN": "One run of {month} {year} with the settings that its metadata names, for {place}.",
    "WORKFLOW": "The steps from raw files to published {subject}: read, check, flag, summarise. Runs every night.",
    "STUDY": "A study of {subject} at {place} between {year} and now; methods, people, and what was found.",
    "PERSON": "Answers questions about {subject}; best reached by e-mail.",
    "ORGANISATION": "Lends us instruments and people, and works with our data on {subject}.",
    INSTRUMENT: "Stands at {place} since {month} {year}; serviced twice a year.",
}

CADENCES = ("hourly", "daily", "ten-minute", "weekly", "monthly")
FORMATS = ("CSV", "NetCDF", "Parquet", "GeoPackage", "WAV")
LICENSES = ("CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0", "ODbL-1.0")
SCENARIOS = ("as observed", "a dry year", "a wet year", "two degrees warmer")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

REASONS = (
    ("Under review for publication.", "Reviewed: go on."),
    ("The sensor was exchanged; values wait for calibration.", "Calibrated against the reference."),
    ("Frozen for the annual report.", "The report is out."),
    ("A duplicate import is being cleaned up.", "Duplicates are gone."),
    ("Cited in a paper that was handed in.", "The paper was accepted; a new version may come."),
)
"""Reasons for locking a resource and for unlocking it."""

EXAMPLES = (
    (
        "example-everyone-reads",
        "Example: everyone reads and downloads, nobody edits",
        "All signed-in people see this dataset and download its files; only its owner and the org's writers change it.",
    ),
    (
        "example-editors-write",
        "Example: everyone reads, editors write",
        "As the other example, and the group marine-science-editors edits metadata and uploads files.",
    ),
    (
        "example-locked",
        "Example: locked until the season ends",
        "Editors may write here, and yet nobody can: a lock stops every write, administrators included.",
    ),
    (
        "example-hidden",
        "Example: hidden, with one guest",
        "General Users have no role, so outside the org nobody knows of it but one auditor, whose grant ends soon.",
    ),
)
"""Slug, name and description of resources in the first org."""

TOUR = (
    ("ines", "owns the Institute of Marine Science: every role there, with access settings and locks"),
    ("luca", "an editor from another org: a group grants write access to `example-editors-write`"),
    ("felix", "a user without org or group: reads what General Users read, and does not find `example-hidden`"),
    ("priya", "reads in the Institute of Marine Science, level READ_ONLY"),
    ("beatriz", "a steward: creates groups and sees all users"),
    ("ruth", "a curator: administers every resource, and still cannot write to `example-locked`"),
    ("henrik", "an auditor: reads in `auditEvents` who changed what in two years"),
)
"""User names to sign in with, and what each of them shows."""

QUERIES = (
    'mutation { login(input: {userName: "ines", password: "' + PASSWORD + '"}) { errors { message } } }',
    '{ resources(filter: {name: {startsWith: "Example"}}) { nodes { name slug viewerAccess { effectiveRoles } } } }',
)
"""First operations: the sign-in, and a query of the examples."""
