//! Conversions of sites between the checker's register and the record.

use crate::model::mutation;
use crate::record::SiteRecord;
use heaplab::sync::model_control::{self, Site, SiteUse};

impl From<&SiteUse> for SiteRecord {
    fn from(site: &SiteUse) -> SiteRecord {
        SiteRecord {
            file: site.site.file.to_owned(),
            line: site.site.line,
            column: site.site.column,
            operand: site.operand,
            written: site.written,
        }
    }
}

impl SiteRecord {
    /// The sites in the heap that this thread's models have run since `model_control::start_sites`.
    #[must_use]
    pub fn take_all() -> Vec<SiteRecord> {
        let sites = model_control::take_sites().into_iter();
        sites.filter(|site| mutation::is_under_test(site.site.file)).map(|site| SiteRecord::from(&site)).collect()
    }

    /// The site as the checker's register has it, never run.
    #[must_use]
    pub fn site_use(&self) -> SiteUse {
        // The name is leaked: a campaign has a few hundred sites, and lives as long as its process.
        let file = Box::leak(self.file.clone().into_boxed_str());
        let site = Site { file, line: self.line, column: self.column };
        SiteUse { site, operand: self.operand, written: self.written, count: 0 }
    }
}
