# SPDX-License-Identifier: GPL-2.0
"""Sphinx: how the documentation is built; see Makefile."""
import os
import re
import sys

from docutils import nodes
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
html_theme_options = {'page_width': '68em', 'sidebar_width': '14em'}
html_show_sourcelink = False
html_static_path = ['static']
html_css_files = ['narrow.css']


def mark_errnos(app, doctree, docname):
    """Give negative errnos a class: browsers break lines behind their sign."""
    for text in list(doctree.findall(nodes.Text)):
        parts = re.split(r'(-E[A-Z0-9]{2,})', text.astext())
        if len(parts) == 1 or isinstance(text.parent, nodes.FixedTextElement):
            continue
        text.parent.replace(text, [
            nodes.inline(part, part, classes=['errno']) if i % 2
            else nodes.Text(part) for i, part in enumerate(parts) if part])


def setup(app):
    """Mark errnos. Have the index sort names in any namespace."""
    app.connect('doctree-resolved', mark_errnos)
    get_index_text = c.CObject.get_index_text

    def plain(self, name):
        return get_index_text(self, name.rpartition('.')[2])
    c.CObject.get_index_text = plain
