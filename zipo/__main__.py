"""python -m zipo"""

from zipo.cli import main

main()
