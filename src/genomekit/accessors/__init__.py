"""The `.gk` accessor of results; importing this package registers it with xarray, pandas and anndata."""

from genomekit.accessors.result import DataArrayAccessor as DataArrayAccessor
from genomekit.accessors.result import DatasetAccessor as DatasetAccessor
from genomekit.accessors.result import DataTreeAccessor as DataTreeAccessor
from genomekit.accessors.result import ResultAccessor as ResultAccessor
from genomekit.accessors.scores import ScoresAccessor as ScoresAccessor
from genomekit.storage import open as open  # gk.open comes from here: what it returns has its accessor
