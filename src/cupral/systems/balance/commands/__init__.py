"""What changes the balance's facts: networks, files, reversals, judgements."""

from cupral.systems.balance.commands.assays import ASSAYS, import_assays
from cupral.systems.balance.commands.judgement import judge_doubt, sign_account
from cupral.systems.balance.commands.meters import METERS, import_meters
from cupral.systems.balance.commands.network import define_network, network_file, network_from
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.reversal import reverse_posting
from cupral.systems.balance.commands.stocktakes import STOCKTAKES, import_stocktakes

__all__ = [
    "ASSAYS",
    "METERS",
    "STOCKTAKES",
    "ImportReport",
    "define_network",
    "import_assays",
    "import_meters",
    "import_stocktakes",
    "judge_doubt",
    "network_file",
    "network_from",
    "reverse_posting",
    "sign_account",
]
