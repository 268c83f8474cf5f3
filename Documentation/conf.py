# SPDX-License-Identifier: GPL-2.0
"""Sphinx: how the documentation is built; see Makefile."""
import os
import sys

from sphinx.domains import c

kernel = os.environ.get('KERNEL_DOC')
if not kernel:
    sys.exit('KERNEL_DOC is not set: run make -C Documentation')
sys.path.insert(0, os.path.join(kernel, 'Documentation', 'sphinx'))

project = 'mregion'
with open('../VERSION', encoding='utf-8') as version_file:
    release = version_file.read().strip()
copyright = 'The mregion authors'

# The kernel's own directive, so that what is here reads the same in its tree;
# and what makes links of "struct foo" and "foo()".
extensions = ['kerneldoc', 'automarkup']
kerneldoc_bin = os.path.abspath('kernel-doc-macros')
kerneldoc_srctree = os.path.abspath('..')

exclude_patterns = ['man']
primary_domain = 'c'
highlight_language = 'none'
html_theme = 'alabaster'
html_theme_options = {'page_width': '64em', 'sidebar_width': '14em'}
html_show_sourcelink = False
html_static_path = ['static']
html_css_files = ['narrow.css']


def setup(app):
    """Have the index sort names, whatever namespace they are in."""
    get_index_text = c.CObject.get_index_text

    def plain(self, name):
        return get_index_text(self, name.rpartition('.')[2])
    c.CObject.get_index_text = plain
