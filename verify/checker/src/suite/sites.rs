//! Sites between the checker's register and the record.

use crate::model::mutation;
use crate::record::SiteRecord;
use heaplab::sync::Ordering;
use heaplab::sync::model_control::{self, Operand, Site, SiteUse};

impl From<&SiteUse> for SiteRecord {
    fn from(site: &SiteUse) -> SiteRecord {
        SiteRecord {
            file: site.site.file.to_owned(),
            line: site.site.line,
            column: site.site.column,
            operand: site.operand.name().to_owned(),
            written: format!("{:?}", site.written),
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

    /// As the checker's register has it.
    ///
    /// # Panics
    /// If it was not made from one.
    #[must_use]
    pub fn site_use(&self) -> SiteUse {
        // A campaign has a few hundred sites, and lives as long as its process.
        let file = Box::leak(self.file.clone().into_boxed_str());
        let operand = Operand::ALL.into_iter().find(|operand| operand.name() == self.operand);
        let written = [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst]
            .into_iter()
            .find(|ordering| format!("{ordering:?}") == self.written);
        SiteUse {
            site: Site { file, line: self.line, column: self.column },
            operand: operand.expect("a known operand"),
            written: written.expect("a known ordering"),
            count: 0,
        }
    }
}
