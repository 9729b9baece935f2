int   planted( void ){return 1;}
