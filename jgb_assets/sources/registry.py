"""Every source of the pipeline, by name. Adding one: its module, its line here, its staging folder in dbt."""

from jgb_assets.sources.base import Source
from jgb_assets.sources.mof_auction_pages import MofAuctionPages
from jgb_assets.sources.mof_jgb_auctions import MofJgbAuctions
from jgb_assets.sources.mof_jgb_yields import MofJgbYields
from jgb_assets.sources.mof_securities_flows import MofSecuritiesFlows
from jgb_assets.sources.treasury_par_yields import TreasuryParYields
from jgb_assets.sources.treasury_tic import TreasuryTic

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        MofJgbYields(),
        MofJgbAuctions(),
        MofAuctionPages(),
        MofSecuritiesFlows(),
        TreasuryParYields(),
        TreasuryTic(),
    )
}
